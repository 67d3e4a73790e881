package workshop;

import com.amazonaws.services.lambda.runtime.LambdaLogger;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import workshop.json.JsonWriter;

/**
 * The logger of functions and of the runtime itself: one event a call, whatever lines it has.
 *
 * <p>AWS Lambda developer guide, "Log and monitor Java Lambda functions": in the JSON format a message
 * becomes an object with its level and request, and levels below the function's are left out. Events
 * go to the platform as frames (type, length, time in microseconds, message; big endian) on standard
 * output, each in one write.
 */
final class Log implements LambdaLogger {
    private static final int FRAME_HEADER_BYTES = 16;
    private static final int FRAME_TYPE_TEXT = 0xa55a0003;
    private static final int FRAME_TYPE_JSON = 0xa55a0002;

    private final OutputStream output = new FileOutputStream(FileDescriptor.out);
    private final boolean isJson = "JSON".equals(System.getenv("AWS_LAMBDA_LOG_FORMAT"));
    private final LogLevel lowestLevel = lowestLevel();
    private String requestId;

    void setRequestId(String requestId) {
        this.requestId = requestId;
    }

    boolean isJson() {
        return isJson;
    }

    @Override
    public void log(String message) {
        log(message, LogLevel.UNDEFINED);
    }

    @Override
    public void log(byte[] message) {
        log(message, LogLevel.UNDEFINED);
    }

    @Override
    public void log(String message, LogLevel level) {
        if (isShown(level)) {
            String text = isJson ? document(message, level) : level(level) + message;
            writeFrame(text.getBytes(StandardCharsets.UTF_8), level);
        }
    }

    /** Bytes are written as they are, in either format. */
    @Override
    public void log(byte[] message, LogLevel level) {
        if (isShown(level)) {
            writeFrame(message, level);
        }
    }

    private boolean isShown(LogLevel level) {
        return level == LogLevel.UNDEFINED || level.compareTo(lowestLevel) >= 0;
    }

    private static LogLevel lowestLevel() {
        String name = System.getenv("AWS_LAMBDA_LOG_LEVEL");
        return name == null ? LogLevel.UNDEFINED : LogLevel.valueOf(name.toUpperCase(Locale.ROOT));
    }

    private static String level(LogLevel level) {
        return level == LogLevel.UNDEFINED ? "" : "[" + level.name() + "] ";
    }

    private String document(String message, LogLevel level) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("timestamp", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
        document.put("message", message);
        document.put("level", level.name());
        if (requestId != null) {
            document.put("AWSRequestId", requestId);
        }
        return JsonWriter.write(document) + "\n";
    }

    private void writeFrame(byte[] message, LogLevel level) {
        ByteBuffer frame = ByteBuffer.allocate(FRAME_HEADER_BYTES + message.length);
        frame.putInt((isJson ? FRAME_TYPE_JSON : FRAME_TYPE_TEXT) | level.ordinal() << 2);
        frame.putInt(message.length);
        frame.putLong(System.currentTimeMillis() * 1000);
        frame.put(message);
        System.out.flush();
        try {
            output.write(frame.array());
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
