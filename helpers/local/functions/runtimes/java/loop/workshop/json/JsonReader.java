package workshop.json;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads JSON (RFC 8259): objects become maps, arrays lists, whole numbers the smallest of Integer, Long
 * and BigInteger, other numbers BigDecimal, so that nothing is lost before the type is known.
 */
public final class JsonReader {
    private static final int DEEPEST_NESTING = 1000;

    private final String text;
    private int position;
    private int depth;

    private JsonReader(String text) {
        this.text = text;
    }

    /** One value of the types above. Throws JsonException for anything but one value in UTF-8. */
    public static Object read(byte[] utf8) {
        JsonReader reader = new JsonReader(decode(utf8));
        Object value = reader.value();
        if (reader.peek() != 0) {
            throw reader.unexpected("the end");
        }
        return value;
    }

    private static String decode(byte[] utf8) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
        } catch (CharacterCodingException broken) {
            throw new JsonException("Not JSON: the bytes are not UTF-8", broken);
        }
    }

    private Object value() {
        char next = peek();
        switch (next) {
            case '{':
                return nested();
            case '[':
                return nested();
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Object nested() {
        if (++depth > DEEPEST_NESTING) {
            throw new JsonException("More than " + DEEPEST_NESTING + " values are nested in each other.");
        }
        Object value = text.charAt(position++) == '{' ? object() : array();
        depth--;
        return value;
    }

    private Map<String, Object> object() {
        Map<String, Object> object = new LinkedHashMap<>();
        if (skip('}')) {
            return object;
        }
        do {
            if (peek() != '"') {
                throw unexpected("a name in double quotes");
            }
            String name = string();
            expect(':');
            object.put(name, value());
        } while (skip(','));
        expect('}');
        return object;
    }

    private List<Object> array() {
        List<Object> array = new ArrayList<>();
        if (skip(']')) {
            return array;
        }
        do {
            array.add(value());
        } while (skip(','));
        expect(']');
        return array;
    }

    private String string() {
        StringBuilder string = new StringBuilder();
        for (position++; ; position++) {
            char next = position < text.length() ? text.charAt(position) : 0;
            if (next == '"') {
                position++;
                return string.toString();
            }
            if (next < ' ') {
                throw unexpected("a character of a string");
            }
            string.append(next == '\\' ? escaped() : next);
        }
    }

    /** The character that an escape sequence stands for; afterwards the position is at its last one. */
    private char escaped() {
        position++;
        char letter = position < text.length() ? text.charAt(position) : 0;
        switch (letter) {
            case '"', '\\', '/':
                return letter;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                return unicode();
            default:
                throw unexpected("an escape sequence");
        }
    }

    private char unicode() {
        int code = 0;
        for (int count = 0; count < 4; count++) {
            position++;
            int digit = position < text.length() ? Character.digit(text.charAt(position), 16) : -1;
            if (digit < 0 || text.charAt(position) > 'f') {
                throw unexpected("four hexadecimal digits");
            }
            code = code * 16 + digit;
        }
        return (char) code;
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, position)) {
            throw unexpected("a value");
        }
        position += word.length();
        return value;
    }

    private Number number() {
        int start = position;
        skipIf('-');
        int digits = position;
        skipDigits();
        boolean hasLeadingZero = text.startsWith("0", digits) && position > digits + 1;
        boolean isWhole = true;
        if (skipIf('.')) {
            isWhole = false;
            skipDigits();
        }
        if (skipIf('e') || skipIf('E')) {
            isWhole = false;
            if (!skipIf('-')) {
                skipIf('+');
            }
            skipDigits();
        }
        String number = text.substring(start, position);
        if (hasLeadingZero) {
            position = digits + 1;
            throw unexpected("no digit after a leading zero");
        }
        return isWhole ? whole(number) : new BigDecimal(number);
    }

    private static Number whole(String number) {
        if (number.length() < 10) {
            return Integer.valueOf(number);
        }
        BigInteger value = new BigInteger(number);
        if (value.bitLength() < Integer.SIZE) {
            return value.intValue();
        }
        return value.bitLength() < Long.SIZE ? (Number) value.longValue() : value;
    }

    private void skipDigits() {
        int start = position;
        while (position < text.length() && text.charAt(position) >= '0' && text.charAt(position) <= '9') {
            position++;
        }
        if (position == start) {
            throw unexpected(start == 0 ? "a value" : "a digit or a value");
        }
    }

    private boolean skipIf(char wanted) {
        boolean isThere = position < text.length() && text.charAt(position) == wanted;
        position += isThere ? 1 : 0;
        return isThere;
    }

    private boolean skip(char wanted) {
        return peek() == wanted && skipIf(wanted);
    }

    private void expect(char wanted) {
        if (!skip(wanted)) {
            throw unexpected("'" + wanted + "'");
        }
    }

    /** The next character that is no white space; 0 at the end. */
    private char peek() {
        while (position < text.length() && " \t\r\n".indexOf(text.charAt(position)) >= 0) {
            position++;
        }
        return position < text.length() ? text.charAt(position) : 0;
    }

    private JsonException unexpected(String expected) {
        String found = position < text.length() ? "'" + text.charAt(position) + "'" : "the end";
        String place = "at character " + position + " there is " + found;
        return new JsonException("Not JSON: " + place + ", expected " + expected);
    }
}
