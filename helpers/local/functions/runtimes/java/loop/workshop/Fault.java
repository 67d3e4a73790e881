package workshop;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import workshop.json.JsonWriter;

/**
 * What went wrong in a function, as Lambda reports it and as the log shows it.
 *
 * <p>AWS Lambda developer guide, "Understanding retry behavior in Lambda" and "Log and monitor Java
 * Lambda functions". A fault that the runtime found has no stack trace in its document.
 */
final class Fault extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final String OWN_PACKAGE = "workshop.";

    private final String type;
    private final String trace;
    private final transient List<String> frames;
    private final boolean isFatal;

    private Fault(String message, String type, String trace, List<String> frames, boolean isFatal) {
        super(message, null, false, false);
        this.type = type;
        this.trace = trace;
        this.frames = frames;
        this.isFatal = isFatal;
    }

    /** Something that the function threw. */
    static Fault of(Throwable thrown) {
        String trace = trace(thrown);
        List<String> frames = new ArrayList<>();
        for (StackTraceElement frame : thrown.getStackTrace()) {
            frames.add(frame.toString());
        }
        return new Fault(message(thrown), thrown.getClass().getName(), trace, frames, false);
    }

    /** The function's constructor threw something: it cannot be used at all. */
    static Fault ofConstructor(Throwable thrown) {
        return new Fault(message(thrown), thrown.getClass().getName(), trace(thrown), null, true);
    }

    /** A class, or one that it needs, cannot be initialised. */
    static Fault ofLoading(Throwable thrown, String className) {
        String reason = thrown.getMessage() == null ? "" : ": " + thrown.getMessage();
        String message = "Error loading class " + className + reason;
        return new Fault(message, thrown.getClass().getName(), trace(thrown), null, true);
    }

    /** The runtime's own words for a handler that cannot be used, because of `thrown`. */
    static Fault because(Throwable thrown, String message) {
        return new Fault(message, thrown.getClass().getName(), trace(thrown), null, false);
    }

    /** The runtime's own words for a handler that cannot be used. */
    static Fault saying(String message) {
        return new Fault(message, null, null, null, false);
    }

    /** The exception's class; null for the runtime's own words. */
    String type() {
        return type;
    }

    /** Whether nothing more can be run in this process. */
    boolean isFatal() {
        return isFatal;
    }

    /** The error document for the Runtime API. */
    byte[] document() {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("errorMessage", getMessage());
        if (type != null) {
            document.put("errorType", type);
        }
        if (frames != null) {
            document.put("stackTrace", frames);
        }
        return JsonWriter.write(document).getBytes(StandardCharsets.UTF_8);
    }

    /** The event in the log. */
    String logText() {
        return trace == null ? getMessage() + "\n" : getMessage() + ": " + type + "\n" + trace + "\n";
    }

    private static String message(Throwable thrown) {
        String message = thrown.getLocalizedMessage();
        return message == null ? thrown.getClass().getName() : message;
    }

    private static String trace(Throwable thrown) {
        hideRuntime(thrown, Collections.newSetFromMap(new IdentityHashMap<>()));
        StringWriter text = new StringWriter();
        thrown.printStackTrace(new PrintWriter(text));
        return text.toString();
    }

    /** Cut the runtime's own frames off every stack trace. */
    private static void hideRuntime(Throwable thrown, Set<Throwable> seen) {
        if (thrown == null || !seen.add(thrown)) {
            return;
        }
        StackTraceElement[] frames = thrown.getStackTrace();
        for (int index = 0; index < frames.length; index++) {
            if (frames[index].getClassName().startsWith(OWN_PACKAGE)) {
                thrown.setStackTrace(Arrays.copyOf(frames, index));
                break;
            }
        }
        hideRuntime(thrown.getCause(), seen);
        for (Throwable suppressed : thrown.getSuppressed()) {
            hideRuntime(suppressed, seen);
        }
    }
}
