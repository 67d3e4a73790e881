package workshop.json;

import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The properties of a class: its public getters, setters and fields, or the components of a record.
 *
 * <p>Names are those of JavaBeans: `getShopName` is `shopName`, and `getURL` is `URL`.
 */
final class Bean {
    private static final Map<Class<?>, Bean> KNOWN = new ConcurrentHashMap<>();

    private final Class<?> type;
    private final Map<String, Getter> getters = new TreeMap<>();
    private final Map<String, Setter> setters = new TreeMap<>();

    private Bean(Class<?> type) {
        this.type = type;
        if (type.isRecord()) {
            for (RecordComponent component : type.getRecordComponents()) {
                getters.put(component.getName(), new MethodGetter(open(component.getAccessor())));
            }
            return;
        }
        for (Field field : type.getFields()) {
            addField(field);
        }
        for (Method method : type.getMethods()) {
            if (!Modifier.isStatic(method.getModifiers()) && method.getDeclaringClass() != Object.class) {
                addMethod(method);
            }
        }
    }

    /** Throws JsonException for classes of the JDK, whose getters say nothing of how AWS maps them. */
    static Bean of(Class<?> type) {
        Bean known = KNOWN.get(type);
        if (known != null) {
            return known;
        }
        if (type.getClassLoader() == null || type.getName().startsWith("java.")) {
            throw new JsonException("The local AWS cannot do this: map JSON and " + type.getName()
                    + ". Use a String, a number, a Map, a List or a class of your own.");
        }
        if (isMappedSpecially(type.getName())) {
            throw new JsonException("The local AWS cannot do this: map an event to " + type.getName()
                    + ". Use a Map, an InputStream or a class of your own.");
        }
        Bean bean = new Bean(type);
        KNOWN.put(type, bean);
        return bean;
    }

    /** Classes of the library aws-lambda-java-events, except those whose properties are the event's own. */
    private static boolean isMappedSpecially(String name) {
        String events = "com.amazonaws.services.lambda.runtime.events.";
        return name.startsWith(events)
                && !name.startsWith(events + "APIGateway")
                && !name.startsWith(events + "ApplicationLoadBalancer");
    }

    Map<String, Getter> getters() {
        return getters;
    }

    Map<String, Setter> setters() {
        return setters;
    }

    /** A new object without values. Throws JsonException when it cannot be made, or its constructor fails. */
    Object create() {
        try {
            return open(type.getDeclaredConstructor()).newInstance();
        } catch (NoSuchMethodException | InstantiationException missing) {
            throw new JsonException("Cannot construct " + type.getName()
                    + ": it has no constructor without arguments.");
        } catch (InvocationTargetException thrown) {
            throw new JsonException("Cannot construct " + type.getName(), thrown.getCause());
        } catch (IllegalAccessException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** A new record. `values` are those of its components, in order. */
    Object create(Object[] values) {
        RecordComponent[] components = type.getRecordComponents();
        Class<?>[] types = new Class<?>[components.length];
        for (int index = 0; index < types.length; index++) {
            types[index] = components[index].getType();
        }
        try {
            Constructor<?> constructor = open(type.getDeclaredConstructor(types));
            return constructor.newInstance(values);
        } catch (InvocationTargetException thrown) {
            throw new JsonException("Cannot construct " + type.getName(), thrown.getCause());
        } catch (ReflectiveOperationException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private void addField(Field field) {
        if (Modifier.isStatic(field.getModifiers()) || Modifier.isTransient(field.getModifiers())) {
            return;
        }
        getters.put(field.getName(), new FieldGetter(open(field)));
        setters.put(field.getName(), new FieldSetter(field));
    }

    private void addMethod(Method method) {
        String name = method.getName();
        Class<?> result = method.getReturnType();
        boolean isBoolean = result == boolean.class || result == Boolean.class;
        if (method.getParameterCount() == 0 && result != void.class) {
            if (name.startsWith("get") && name.length() > 3) {
                getters.put(propertyName(name.substring(3)), new MethodGetter(open(method)));
            } else if (isBoolean && name.startsWith("is") && name.length() > 2) {
                getters.putIfAbsent(propertyName(name.substring(2)), new MethodGetter(open(method)));
            }
            return;
        }
        boolean isSetter = name.startsWith("set") && name.length() > 3 && method.getParameterCount() == 1;
        if (isSetter && !method.isBridge()) {
            setters.put(propertyName(name.substring(3)), new MethodSetter(open(method)));
        }
    }

    private static String propertyName(String name) {
        boolean isAcronym = name.length() > 1
                && Character.isUpperCase(name.charAt(0))
                && Character.isUpperCase(name.charAt(1));
        return isAcronym ? name : Character.toLowerCase(name.charAt(0)) + name.substring(1);
    }

    /** Public members of a class that is not public itself need it. */
    private static <T extends AccessibleObject & Member> T open(T member) {
        member.setAccessible(true);
        return member;
    }

    interface Getter {
        Object get(Object bean);
    }

    interface Setter {
        Type type();

        void set(Object bean, Object value);
    }

    private record FieldGetter(Field field) implements Getter {
        @Override
        public Object get(Object bean) {
            try {
                return field.get(bean);
            } catch (IllegalAccessException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }

    private record FieldSetter(Field field) implements Setter {
        @Override
        public Type type() {
            return field.getGenericType();
        }

        @Override
        public void set(Object bean, Object value) {
            try {
                field.set(bean, value);
            } catch (IllegalAccessException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }

    private record MethodGetter(Method method) implements Getter {
        @Override
        public Object get(Object bean) {
            return call(method, bean);
        }
    }

    private record MethodSetter(Method method) implements Setter {
        @Override
        public Type type() {
            return method.getGenericParameterTypes()[0];
        }

        @Override
        public void set(Object bean, Object value) {
            call(method, bean, value);
        }
    }

    private static Object call(Method method, Object bean, Object... arguments) {
        try {
            return method.invoke(bean, arguments);
        } catch (InvocationTargetException thrown) {
            String name = method.getDeclaringClass().getName() + "." + method.getName();
            throw new JsonException(name + ": " + thrown.getCause().getMessage(), thrown.getCause());
        } catch (IllegalAccessException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
