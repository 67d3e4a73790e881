package workshop;

import com.amazonaws.services.lambda.runtime.Client;
import com.amazonaws.services.lambda.runtime.ClientContext;
import com.amazonaws.services.lambda.runtime.CognitoIdentity;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.LambdaLogger;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import workshop.json.JsonReader;

/** The handler's context: the event's headers and the environment's variables. */
record InvocationContext(Event event, Log log) implements Context {
    @Override
    public String getAwsRequestId() {
        return event.requestId();
    }

    @Override
    public String getLogGroupName() {
        return System.getenv("AWS_LAMBDA_LOG_GROUP_NAME");
    }

    @Override
    public String getLogStreamName() {
        return System.getenv("AWS_LAMBDA_LOG_STREAM_NAME");
    }

    @Override
    public String getFunctionName() {
        return System.getenv("AWS_LAMBDA_FUNCTION_NAME");
    }

    @Override
    public String getFunctionVersion() {
        return System.getenv("AWS_LAMBDA_FUNCTION_VERSION");
    }

    @Override
    public String getInvokedFunctionArn() {
        return event.functionArn();
    }

    @Override
    public CognitoIdentity getIdentity() {
        return event.cognitoIdentity() == null ? null : new Identity(fields(event.cognitoIdentity()));
    }

    @Override
    public ClientContext getClientContext() {
        return event.clientContext() == null ? null : new Caller(fields(event.clientContext()));
    }

    @Override
    public int getRemainingTimeInMillis() {
        return (int) Math.max(0, event.deadlineMs() - System.currentTimeMillis());
    }

    @Override
    public int getMemoryLimitInMB() {
        return Integer.parseInt(System.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
    }

    @Override
    public LambdaLogger getLogger() {
        return log;
    }

    /** A header that holds an object as JSON, in UTF-8. */
    private static Map<?, ?> fields(String header) {
        byte[] bytes = header.getBytes(StandardCharsets.ISO_8859_1);
        return JsonReader.read(bytes) instanceof Map<?, ?> fields ? fields : Map.of();
    }

    private static String text(Map<?, ?> fields, String name) {
        Object value = fields.get(name);
        return value == null ? null : value.toString();
    }

    private record Identity(Map<?, ?> fields) implements CognitoIdentity {
        @Override
        public String getIdentityId() {
            return text(fields, "cognitoIdentityId");
        }

        @Override
        public String getIdentityPoolId() {
            return text(fields, "cognitoIdentityPoolId");
        }
    }

    private record Caller(Map<?, ?> fields) implements ClientContext {
        @Override
        public Client getClient() {
            return fields.get("client") instanceof Map<?, ?> client ? new Application(client) : null;
        }

        @Override
        public Map<String, String> getCustom() {
            return texts("custom");
        }

        @Override
        public Map<String, String> getEnvironment() {
            return texts("env");
        }

        private Map<String, String> texts(String name) {
            if (!(fields.get(name) instanceof Map<?, ?> object)) {
                return null;
            }
            Map<String, String> texts = new LinkedHashMap<>();
            for (Object key : object.keySet()) {
                texts.put(key.toString(), text(object, key.toString()));
            }
            return texts;
        }
    }

    private record Application(Map<?, ?> fields) implements Client {
        @Override
        public String getInstallationId() {
            return text(fields, "installation_id");
        }

        @Override
        public String getAppTitle() {
            return text(fields, "app_title");
        }

        @Override
        public String getAppVersionName() {
            return text(fields, "app_version_name");
        }

        @Override
        public String getAppVersionCode() {
            return text(fields, "app_version_code");
        }

        @Override
        public String getAppPackageName() {
            return text(fields, "app_package_name");
        }
    }
}
