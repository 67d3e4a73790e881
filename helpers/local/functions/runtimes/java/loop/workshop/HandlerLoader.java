package workshop;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import workshop.json.JsonException;

/**
 * Find the handler: `package.Class::method`, or `package.Class` of one that implements
 * RequestHandler or RequestStreamHandler.
 *
 * <p>AWS Lambda developer guide, "Define Lambda function handler in Java". Loading the class runs its
 * static code and its constructor, both of which belong to INIT. A handler that cannot be used for
 * another reason is reported when it is invoked.
 */
final class HandlerLoader {
    private static final String SERIALIZER_SERVICE =
            "META-INF/services/com.amazonaws.services.lambda.runtime.CustomPojoSerializer";

    private HandlerLoader() {}

    /** Throws a Fault for what fails INIT itself. */
    static Handler load(String name, TaskClassLoader task) {
        try {
            return find(name, task);
        } catch (Fault fault) {
            if (fault.isFatal()) {
                throw fault;
            }
            return new Unusable(fault);
        } catch (JsonException misfit) {
            return new Unusable(Fault.because(misfit, misfit.getMessage()));
        }
    }

    private static Handler find(String name, TaskClassLoader task) {
        int colons = name.lastIndexOf("::");
        String className = colons < 0 ? name : name.substring(0, colons);
        String methodName = colons < 0 ? null : name.substring(colons + 2);
        if (className.isEmpty() || (methodName != null && methodName.isEmpty())) {
            throw Fault.saying("Invalid handler: `" + name + "'");
        }
        if (task.findResource(SERIALIZER_SERVICE) != null) {
            throw Fault.saying("The local AWS cannot do this: use the function's own CustomPojoSerializer");
        }
        Class<?> type = loadClass(className, task);
        return methodName == null ? fromInterface(type) : fromMethod(type, methodName);
    }

    private static Class<?> loadClass(String name, TaskClassLoader task) {
        try {
            return Class.forName(name, true, task);
        } catch (ClassNotFoundException notFound) {
            throw Fault.because(notFound, "Class not found: " + name);
        } catch (Throwable thrown) {
            throw Fault.ofLoading(thrown, name);
        }
    }

    private static Handler fromInterface(Class<?> type) {
        if (RequestStreamHandler.class.isAssignableFrom(type)) {
            return new StreamHandler((RequestStreamHandler) instance(type));
        }
        if (!RequestHandler.class.isAssignableFrom(type)) {
            String problem = "Class does not implement an appropriate handler interface: ";
            throw Fault.saying(problem + type.getName());
        }
        Type[] types = TypeArguments.of(type, RequestHandler.class);
        RequestHandler<?, ?> handler = (RequestHandler<?, ?>) instance(type);
        return new ObjectHandler(ObjectHandler.calling(handler), types[0], types[1]);
    }

    private static Handler fromMethod(Class<?> type, String methodName) {
        Method best = null;
        for (Method method : methods(type, methodName)) {
            boolean isNamed = method.getName().equals(methodName);
            boolean isCandidate = isNamed && isSupported(method.getParameterTypes());
            if (isCandidate && (best == null || rank(method) > rank(best))) {
                best = method;
            }
        }
        if (best == null) {
            throw Fault.saying("No public method named " + methodName
                    + " with appropriate method signature found on class " + type.getName());
        }
        Object target = Modifier.isStatic(best.getModifiers()) ? null : instance(type);
        Class<?>[] parameters = best.getParameterTypes();
        boolean isStream = parameters.length > 0
                && (parameters[0] == InputStream.class || parameters[0] == OutputStream.class);
        best.setAccessible(true);
        return isStream
                ? new StreamHandler(StreamHandler.calling(best, target))
                : ObjectHandler.of(best, target);
    }

    private static Method[] methods(Class<?> type, String methodName) {
        try {
            return type.getMethods();
        } catch (NoClassDefFoundError missing) {
            String problem = "Error loading method " + methodName + " on class " + type.getName();
            throw Fault.because(missing, problem);
        }
    }

    /** Longer signatures first, a context counting twice; methods that a compiler made up last. */
    private static int rank(Method method) {
        Class<?>[] parameters = method.getParameterTypes();
        int length = parameters.length;
        boolean hasContext = length > 0 && parameters[length - 1] == Context.class;
        return length + (hasContext ? 1 : 0) - (method.isBridge() ? 100 : 0);
    }

    private static boolean isSupported(Class<?>[] parameters) {
        if (parameters.length < 2) {
            return true;
        }
        boolean endsWithContext = parameters[parameters.length - 1] == Context.class;
        if (parameters.length == 2) {
            boolean isStreams = parameters[0] == InputStream.class && parameters[1] == OutputStream.class;
            return isStreams || (endsWithContext && parameters[0] != Context.class);
        }
        return parameters.length == 3
                && parameters[0] == InputStream.class
                && parameters[1] == OutputStream.class
                && endsWithContext;
    }

    private static Object instance(Class<?> type) {
        Constructor<?> constructor;
        try {
            constructor = type.getConstructor();
        } catch (NoSuchMethodException missing) {
            boolean isInner = type.getEnclosingClass() != null && !Modifier.isStatic(type.getModifiers());
            String reason = isInner
                    ? " cannot be instantiated because it is a non-static inner class"
                    : " has no public zero-argument constructor";
            throw Fault.because(new Exception(missing), "Class " + type.getName() + reason);
        }
        try {
            constructor.setAccessible(true);
            return constructor.newInstance();
        } catch (InvocationTargetException thrown) {
            throw Fault.ofConstructor(thrown.getCause());
        } catch (ExceptionInInitializerError thrown) {
            throw Fault.ofConstructor(thrown);
        } catch (ReflectiveOperationException impossible) {
            throw Fault.because(impossible, "Class " + type.getName() + " cannot be instantiated");
        }
    }

    /** Reports the same fault of every invocation. */
    private record Unusable(Fault fault) implements Handler {
        @Override
        public byte[] handle(byte[] event, Context context) {
            throw fault;
        }
    }
}
