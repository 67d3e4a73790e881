package workshop;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Method;

/** A handler that reads the event and writes the response itself. */
record StreamHandler(Call call) implements Handler {
    StreamHandler(RequestStreamHandler handler) {
        this(new InterfaceCall(handler));
    }

    @Override
    public byte[] handle(byte[] event, Context context) throws Throwable {
        ByteArrayOutputStream response = new ByteArrayOutputStream();
        call.run(new ByteArrayInputStream(event), response, context);
        return response.toByteArray();
    }

    /** Calls a method that takes the input, the output and the context, or any of them in that order. */
    static Call calling(Method method, Object target) {
        return new MethodCall(method, target);
    }

    interface Call {
        void run(InputStream input, OutputStream output, Context context) throws Throwable;
    }

    private record InterfaceCall(RequestStreamHandler handler) implements Call {
        @Override
        public void run(InputStream input, OutputStream output, Context context) throws Throwable {
            handler.handleRequest(input, output, context);
        }
    }

    private record MethodCall(Method method, Object target) implements Call {
        @Override
        public void run(InputStream input, OutputStream output, Context context) throws Throwable {
            Class<?>[] types = method.getParameterTypes();
            Object[] arguments = new Object[types.length];
            for (int index = 0; index < types.length; index++) {
                Object stream = types[index] == InputStream.class ? input : output;
                arguments[index] = types[index] == Context.class ? context : stream;
            }
            ObjectHandler.invoke(method, target, arguments);
        }
    }
}
