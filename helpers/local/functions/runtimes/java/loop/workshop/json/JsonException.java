package workshop.json;

/** A text is not JSON, or JSON and a Java type do not fit each other; the message says where and why. */
public final class JsonException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public JsonException(String message) {
        super(message);
    }

    JsonException(String message, Throwable cause) {
        super(message, cause);
    }
}
