package workshop;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.HashMap;
import java.util.Map;

/** What a class puts in the place of the type parameters of an interface that it implements. */
final class TypeArguments {
    private TypeArguments() {}

    /** In the interface's order. Throws a Fault when one is left open. */
    static Type[] of(Class<?> type, Class<?> wanted) {
        Type[] found = search(type, new HashMap<>(), wanted);
        for (Type argument : found == null ? new Type[] {null} : found) {
            boolean isOpen = argument instanceof TypeVariable<?> open && open.getBounds()[0] == Object.class;
            if (argument == null || isOpen) {
                throw Fault.saying("Class " + type.getName() + " does not implement " + wanted.getSimpleName()
                        + " with concrete type parameters");
            }
        }
        return found;
    }

    private static Type[] search(Type type, Map<Type, Type> known, Class<?> wanted) {
        if (type == null) {
            return null;
        }
        Type[] arguments = {};
        if (type instanceof ParameterizedType generic) {
            arguments = generic.getActualTypeArguments();
            for (int index = 0; index < arguments.length; index++) {
                arguments[index] = known.getOrDefault(arguments[index], arguments[index]);
            }
        }
        Class<?> raw = (Class<?>) (type instanceof ParameterizedType generic ? generic.getRawType() : type);
        if (raw == wanted) {
            return arguments.length == 0 ? null : arguments;
        }
        Map<Type, Type> inside = new HashMap<>();
        for (int index = 0; index < arguments.length; index++) {
            inside.put(raw.getTypeParameters()[index], arguments[index]);
        }
        for (Type parent : raw.getGenericInterfaces()) {
            Type[] found = search(parent, inside, wanted);
            if (found != null) {
                return found;
            }
        }
        return search(raw.getGenericSuperclass(), inside, wanted);
    }
}
