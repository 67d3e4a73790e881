package workshop.json;

import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Turns what JsonReader has read into an object of a Java type.
 *
 * <p>As in AWS's Java runtime names that a bean does not have are passed over, properties that the JSON
 * does not have keep their values, and one value stands for a list of one.
 */
public final class Binder {
    private Binder() {}

    /** Look at the class that a type is made of, so that its first object takes no longer than the others. */
    public static void prepare(Type type) {
        if (type instanceof Class<?> plain && plain.getClassLoader() != null && !plain.isInterface()) {
            Bean.of(plain);
        }
    }

    /** Throws JsonException when the value does not fit the type. */
    public static Object bind(Object value, Type type) {
        if (type instanceof ParameterizedType generic) {
            return bind(value, (Class<?>) generic.getRawType(), generic.getActualTypeArguments());
        }
        if (type instanceof WildcardType wildcard) {
            return bind(value, wildcard.getUpperBounds()[0]);
        }
        if (type instanceof TypeVariable<?> variable) {
            return bind(value, variable.getBounds()[0]);
        }
        if (type instanceof GenericArrayType array) {
            return array(value, array.getGenericComponentType());
        }
        return bind(value, (Class<?>) type, new Type[0]);
    }

    private static Object bind(Object value, Class<?> type, Type[] arguments) {
        if (type == Optional.class) {
            return Optional.ofNullable(bind(value, argument(arguments, 0)));
        }
        if (value == null) {
            return type.isPrimitive() ? Scalars.zero(type) : null;
        }
        if (type == Object.class) {
            return plain(value);
        }
        if (Scalars.isScalar(type)) {
            return Scalars.convert(value, type);
        }
        if ("".equals(value)) {
            return null;
        }
        if (type == byte[].class && value instanceof String base64) {
            return Base64.getDecoder().decode(base64);
        }
        if (type.isArray()) {
            return array(value, type.getComponentType());
        }
        if (Map.class.isAssignableFrom(type)) {
            return map(value, type, argument(arguments, 0), argument(arguments, 1));
        }
        if (Collection.class.isAssignableFrom(type) || type == Iterable.class) {
            return collection(value, type, argument(arguments, 0));
        }
        return bean(value, type);
    }

    private static Type argument(Type[] arguments, int index) {
        return index < arguments.length ? arguments[index] : Object.class;
    }

    /** Without a type to go by, numbers with a fraction are of type Double. */
    private static Object plain(Object value) {
        if (value instanceof BigDecimal decimal) {
            return decimal.doubleValue();
        }
        if (value instanceof Map<?, ?>) {
            return map(value, Map.class, String.class, Object.class);
        }
        return value instanceof List<?> ? collection(value, List.class, Object.class) : value;
    }

    @SuppressWarnings("unchecked")
    private static Object map(Object value, Class<?> type, Type keyType, Type valueType) {
        Map<Object, Object> map = (Map<Object, Object>) container(type, LinkedHashMap.class);
        for (Map.Entry<?, ?> entry : object(value, type).entrySet()) {
            Object key = keyType == Object.class ? entry.getKey() : bind(entry.getKey(), keyType);
            map.put(key, bind(entry.getValue(), valueType));
        }
        return map;
    }

    @SuppressWarnings("unchecked")
    private static Object collection(Object value, Class<?> type, Type itemType) {
        boolean isSet = Set.class.isAssignableFrom(type);
        Class<?> usual = isSet ? LinkedHashSet.class : ArrayList.class;
        Collection<Object> items = (Collection<Object>) container(type, usual);
        for (Object item : items(value)) {
            items.add(bind(item, itemType));
        }
        return items;
    }

    private static Object array(Object value, Type itemType) {
        List<?> items = items(value);
        Class<?> component = itemType instanceof ParameterizedType generic
                ? (Class<?>) generic.getRawType()
                : itemType instanceof Class<?> plain ? plain : Object.class;
        Object array = Array.newInstance(component, items.size());
        for (int index = 0; index < items.size(); index++) {
            Array.set(array, index, bind(items.get(index), itemType));
        }
        return array;
    }

    private static List<?> items(Object value) {
        return value instanceof List<?> list ? list : List.of(value);
    }

    /** An empty collection or map of a type: of the usual class where the type is an interface. */
    private static Object container(Class<?> type, Class<?> usual) {
        boolean isConcrete = !type.isInterface() && !Modifier.isAbstract(type.getModifiers());
        Class<?> wanted = isConcrete ? type : usual;
        if (!type.isAssignableFrom(wanted)) {
            throw new JsonException("The local AWS cannot do this: make a " + type.getName() + " of JSON.");
        }
        try {
            return wanted.getConstructor().newInstance();
        } catch (ReflectiveOperationException missing) {
            throw new JsonException("Cannot construct " + type.getName(), missing);
        }
    }

    private static Object bean(Object value, Class<?> type) {
        Map<?, ?> object = object(value, type);
        Bean bean = Bean.of(type);
        if (type.isRecord()) {
            return bean.create(components(object, type.getRecordComponents()));
        }
        Object created = bean.create();
        for (Map.Entry<String, Bean.Setter> setter : bean.setters().entrySet()) {
            if (object.containsKey(setter.getKey())) {
                Object property = within(setter.getKey(), object, setter.getValue().type());
                setter.getValue().set(created, property);
            }
        }
        return created;
    }

    private static Object[] components(Map<?, ?> object, RecordComponent[] components) {
        Object[] values = new Object[components.length];
        for (int index = 0; index < values.length; index++) {
            values[index] = within(components[index].getName(), object, components[index].getGenericType());
        }
        return values;
    }

    private static Object within(String name, Map<?, ?> object, Type type) {
        try {
            return bind(object.get(name), type);
        } catch (JsonException misfit) {
            throw new JsonException("In " + name + ": " + misfit.getMessage(), misfit.getCause());
        }
    }

    private static Map<?, ?> object(Object value, Class<?> type) {
        if (value instanceof Map<?, ?> object) {
            return object;
        }
        throw new JsonException("Cannot make " + type.getName() + " of " + JsonWriter.write(value));
    }
}
