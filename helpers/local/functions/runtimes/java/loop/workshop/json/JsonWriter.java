package workshop.json;

import java.lang.reflect.Array;
import java.net.URI;
import java.util.Base64;
import java.util.Date;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Writes Java values as JSON, as AWS's Java runtime does: beans by their getters, properties without
 * a value left out, maps and lists with all that they hold.
 */
public final class JsonWriter {
    private static final int DEEPEST_NESTING = 1000;

    private final StringBuilder text = new StringBuilder();
    private int depth;

    private JsonWriter() {}

    /** Throws JsonException for what cannot be written, such as an object that contains itself. */
    public static String write(Object value) {
        JsonWriter writer = new JsonWriter();
        writer.value(value);
        return writer.text.toString();
    }

    private void value(Object value) {
        if (++depth > DEEPEST_NESTING) {
            throw new JsonException("More than " + DEEPEST_NESTING + " values are nested in each other.");
        }
        if (value == null) {
            text.append("null");
        } else if (value instanceof CharSequence || value instanceof Character) {
            string(value.toString());
        } else if (value instanceof Number number) {
            number(number);
        } else if (value instanceof Boolean) {
            text.append(value);
        } else if (value instanceof Map<?, ?> map) {
            map(map);
        } else if (value instanceof Iterable<?> items) {
            items(items);
        } else if (value instanceof byte[] bytes) {
            string(Base64.getEncoder().encodeToString(bytes));
        } else if (value instanceof char[] characters) {
            string(new String(characters));
        } else if (value.getClass().isArray()) {
            array(value);
        } else {
            other(value);
        }
        depth--;
    }

    private void other(Object value) {
        if (value instanceof Enum<?> constant) {
            string(constant.name());
        } else if (value instanceof Optional<?> optional) {
            value(optional.orElse(null));
        } else if (value instanceof Date date) {
            text.append(date.getTime());
        } else if (value instanceof UUID || value instanceof URI) {
            string(value.toString());
        } else if (value instanceof Class<?> type) {
            string(type.getName());
        } else {
            bean(value);
        }
    }

    private void number(Number number) {
        double value = number.doubleValue();
        boolean isFloating = number instanceof Double || number instanceof Float;
        if (isFloating && (Double.isNaN(value) || Double.isInfinite(value))) {
            // JSON has no such numbers.
            string(number.toString());
        } else {
            text.append(number);
        }
    }

    private void map(Map<?, ?> map) {
        text.append('{');
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            if (entry.getKey() == null) {
                throw new JsonException("A map has a null key, and JSON has no such name.");
            }
            property(String.valueOf(entry.getKey()), entry.getValue());
        }
        text.append('}');
    }

    private void bean(Object value) {
        text.append('{');
        for (Map.Entry<String, Bean.Getter> getter : Bean.of(value.getClass()).getters().entrySet()) {
            Object property = getter.getValue().get(value);
            if (property != null) {
                property(getter.getKey(), property);
            }
        }
        text.append('}');
    }

    private void property(String name, Object value) {
        separate('{');
        string(name);
        text.append(':');
        value(value);
    }

    private void items(Iterable<?> items) {
        text.append('[');
        for (Object item : items) {
            separate('[');
            value(item);
        }
        text.append(']');
    }

    private void array(Object array) {
        text.append('[');
        for (int index = 0; index < Array.getLength(array); index++) {
            separate('[');
            value(Array.get(array, index));
        }
        text.append(']');
    }

    private void separate(char opening) {
        if (text.charAt(text.length() - 1) != opening) {
            text.append(',');
        }
    }

    private void string(String string) {
        text.append('"');
        for (int index = 0; index < string.length(); index++) {
            if (Character.isSurrogate(string.charAt(index)) && !isPaired(string, index)) {
                throw new JsonException("Half of a surrogate pair is no text: it UTF-8 has no bytes for it.");
            }
            character(string.charAt(index));
        }
        text.append('"');
    }

    private static boolean isPaired(String string, int index) {
        int first = Character.isHighSurrogate(string.charAt(index)) ? index : index - 1;
        return first >= 0 && Character.isSupplementaryCodePoint(string.codePointAt(first));
    }

    private void character(char character) {
        switch (character) {
            case '"':
                text.append("\\\"");
                break;
            case '\\':
                text.append("\\\\");
                break;
            case '\n':
                text.append("\\n");
                break;
            case '\r':
                text.append("\\r");
                break;
            case '\t':
                text.append("\\t");
                break;
            default:
                if (character < ' ') {
                    String code = Integer.toHexString(character);
                    text.append("\\u00").append(character < 16 ? "0" : "").append(code);
                } else {
                    text.append(character);
                }
        }
    }
}
