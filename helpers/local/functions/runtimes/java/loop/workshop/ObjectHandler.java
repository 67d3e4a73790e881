package workshop;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import workshop.json.Binder;
import workshop.json.JsonReader;
import workshop.json.JsonWriter;

/** A handler from an object to an object. `input` is null when the event is not asked for. */
final class ObjectHandler implements Handler {
    private final Call call;
    private final Type input;
    private final boolean isVoid;

    ObjectHandler(Call call, Type input, Type output) {
        this.call = call;
        this.input = input;
        isVoid = output == void.class || output == Void.class;
        // As in AWS's runtime: what is found out about these types belongs to INIT.
        Binder.prepare(input);
        Binder.prepare(output);
    }

    /** Of a method that takes the event and the context, or any of them in that order. */
    static ObjectHandler of(Method method, Object target) {
        Type[] parameters = method.getGenericParameterTypes();
        boolean takesInput = parameters.length > 0 && parameters[0] != Context.class;
        Call call = new MethodCall(method, target, takesInput);
        return new ObjectHandler(call, takesInput ? parameters[0] : null, method.getGenericReturnType());
    }

    static Call calling(RequestHandler<?, ?> handler) {
        return new InterfaceCall(handler);
    }

    @Override
    public byte[] handle(byte[] event, Context context) throws Throwable {
        Object argument = input == null ? null : parse(event);
        Object result = call.run(argument, context);
        return isVoid ? "null".getBytes(StandardCharsets.UTF_8) : serialize(result);
    }

    private Object parse(byte[] event) {
        try {
            return Binder.bind(JsonReader.read(event), input);
        } catch (Throwable thrown) {
            throw new RuntimeException("An error occurred during JSON parsing", thrown);
        }
    }

    private static byte[] serialize(Object result) {
        try {
            return JsonWriter.write(result).getBytes(StandardCharsets.UTF_8);
        } catch (Throwable thrown) {
            throw new RuntimeException("An error occurred during JSON serialization of response", thrown);
        }
    }

    /** Call a method of the function's; throws what the method throws. */
    static Object invoke(Method method, Object target, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
    }

    interface Call {
        Object run(Object input, Context context) throws Throwable;
    }

    private record InterfaceCall(RequestHandler<?, ?> handler) implements Call {
        @Override
        @SuppressWarnings("unchecked")
        public Object run(Object input, Context context) {
            return ((RequestHandler<Object, Object>) handler).handleRequest(input, context);
        }
    }

    private record MethodCall(Method method, Object target, boolean takesInput) implements Call {
        @Override
        public Object run(Object input, Context context) throws Throwable {
            Object[] arguments = {input, context};
            int first = takesInput ? 0 : 1;
            int length = method.getParameterCount();
            return invoke(method, target, Arrays.copyOfRange(arguments, first, first + length));
        }
    }
}
