package workshop;

import com.amazonaws.services.lambda.runtime.LambdaRuntime;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.IOError;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;

/**
 * First program of a Java execution environment: load the handler, then serve one event after the
 * other, as AWS's Java runtimes do.
 *
 * <p>AWS Lambda developer guide, "Building Lambda functions with Java" and "Using the Lambda runtime
 * API for custom runtimes". Where the guide is silent, the behaviour of AWS's own runtime interface
 * client for Java is kept. What runs before the first event uses no lambdas and no formatting: each
 * would load dozens of classes and be seen in every Init Duration.
 */
public final class Main {
    private Main() {}

    /** The arguments are the directories of the function's package and of its layers. */
    public static void main(String[] arguments) throws Exception {
        run(System.getenv("AWS_LAMBDA_RUNTIME_API"), System.getenv("_HANDLER"), arguments[0], arguments[1]);
    }

    static void run(String address, String handlerName, String taskRoot, String layers) throws Exception {
        System.setOut(new PrintStream(System.out, false, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(System.err, false, StandardCharsets.UTF_8));
        Log log = new Log();
        provideLogger(log);
        RuntimeApi api = new RuntimeApi(address);
        TaskClassLoader task = new TaskClassLoader(taskRoot, layers);
        Thread.currentThread().setContextClassLoader(task);
        Handler handler = null;
        try {
            handler = HandlerLoader.load(handlerName, task);
        } catch (Fault fault) {
            report(log, fault);
            api.postInitError(fault);
            System.exit(1);
        }
        boolean isUsable = true;
        while (isUsable) {
            isUsable = serve(api, handler, log);
        }
        System.exit(0);
    }

    /** Handle one event. Returns whether this process can handle another one. */
    private static boolean serve(RuntimeApi api, Handler handler, Log log) throws Exception {
        Event event = api.next();
        if (event.traceId() != null) {
            System.setProperty("com.amazonaws.xray.traceHeader", event.traceId());
        }
        InvocationContext context = new InvocationContext(event, log);
        log.setRequestId(event.requestId());
        try {
            api.postResponse(event.requestId(), handler.handle(event.body(), context));
            Thread.interrupted();
            return true;
        } catch (Fault fault) {
            api.postError(event.requestId(), fault);
            report(log, fault);
            return !fault.isFatal();
        } catch (Throwable thrown) {
            Fault fault = Fault.of(thrown);
            api.postError(event.requestId(), fault);
            report(log, fault);
            return !(thrown instanceof VirtualMachineError || thrown instanceof IOError);
        }
    }

    private static void report(Log log, Fault fault) {
        log.log(fault.logText(), log.isJson() ? LogLevel.ERROR : LogLevel.UNDEFINED);
    }

    /** The field is private, as in AWS's own class: functions read the logger and never set it. */
    private static void provideLogger(Log log) throws ReflectiveOperationException {
        Field logger = LambdaRuntime.class.getDeclaredField("logger");
        logger.setAccessible(true);
        logger.set(null, log);
    }
}
