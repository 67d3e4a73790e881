package example;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON (RFC 8259) as maps, lists, strings, numbers, booleans and null, on the JDK alone.
 *
 * <p>Functions that do without libraries are compiled together with it. It avoids what makes a JVM start
 * slowly: regular expressions, streams and lambdas.
 */
final class Json {
    private static final String ESCAPED = "\"\\/bfnrt";
    private static final String UNESCAPED = "\"\\/\b\f\n\r\t";

    private final String text;
    private int position;

    private Json(String text) {
        this.text = text;
    }

    /** Numbers become BigDecimal, objects keep the order of their members. */
    static Object parse(String text) {
        Json json = new Json(text);
        Object value = json.value();
        if (json.skipSpace() != 0) {
            throw json.invalid("the end");
        }
        return value;
    }

    static String write(Object value) {
        StringBuilder target = new StringBuilder();
        write(value, target);
        return target.toString();
    }

    private Object value() {
        switch (skipSpace()) {
            case '{':
                return object();
            case '[':
                return array();
            case '"':
                return string();
            case 't':
                return word("true", true);
            case 'f':
                return word("false", false);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> object() {
        Map<String, Object> members = new LinkedHashMap<>();
        for (boolean more = opens('{', '}'); more; more = goesOn('}')) {
            if (skipSpace() != '"') {
                throw invalid("a name in quotes");
            }
            String name = string();
            expect(':');
            members.put(name, value());
        }
        return members;
    }

    private List<Object> array() {
        List<Object> elements = new ArrayList<>();
        for (boolean more = opens('[', ']'); more; more = goesOn(']')) {
            elements.add(value());
        }
        return elements;
    }

    private String string() {
        StringBuilder string = new StringBuilder();
        for (position++; next() != '"'; position++) {
            if (next() < ' ') {
                throw invalid("a character or a quotation mark");
            }
            string.append(next() == '\\' ? escaped() : next());
        }
        position++;
        return string.toString();
    }

    /** The character behind a backslash; stops at the last one that belongs to it. */
    private char escaped() {
        position++;
        if (next() == 'u') {
            int code = 0;
            for (int digit = 0; digit < 4; digit++) {
                position++;
                int value = Character.digit(next(), 16);
                if (value < 0) {
                    throw invalid("a hexadecimal digit");
                }
                code = code * 16 + value;
            }
            return (char) code;
        }
        int index = ESCAPED.indexOf(next());
        if (index < 0) {
            throw invalid("one of " + ESCAPED + "u");
        }
        return UNESCAPED.charAt(index);
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, position)) {
            throw invalid(word);
        }
        position += word.length();
        return value;
    }

    private BigDecimal number() {
        int start = position;
        position += next() == '-' ? 1 : 0;
        if (next() == '0') {
            position++;
        } else {
            digits();
        }
        if (next() == '.') {
            position++;
            digits();
        }
        if (next() == 'e' || next() == 'E') {
            position++;
            position += next() == '+' || next() == '-' ? 1 : 0;
            digits();
        }
        return new BigDecimal(text.substring(start, position));
    }

    private void digits() {
        if (next() < '0' || next() > '9') {
            throw invalid("a value");
        }
        while (next() >= '0' && next() <= '9') {
            position++;
        }
    }

    private boolean opens(char opening, char closing) {
        expect(opening);
        if (skipSpace() == closing) {
            position++;
            return false;
        }
        return true;
    }

    private boolean goesOn(char closing) {
        if (skipSpace() == closing) {
            position++;
            return false;
        }
        expect(',');
        return true;
    }

    private void expect(char expected) {
        if (skipSpace() != expected) {
            throw invalid(String.valueOf(expected));
        }
        position++;
    }

    /** The next character that is no white space, or 0 at the end. */
    private char skipSpace() {
        while (next() == ' ' || next() == '\n' || next() == '\r' || next() == '\t') {
            position++;
        }
        return next();
    }

    private char next() {
        return position < text.length() ? text.charAt(position) : 0;
    }

    private IllegalArgumentException invalid(String expected) {
        return new IllegalArgumentException("Invalid JSON at " + position + ": expected " + expected);
    }

    private static void write(Object value, StringBuilder target) {
        if (value instanceof Map<?, ?> members) {
            char before = '{';
            for (Map.Entry<?, ?> member : members.entrySet()) {
                target.append(before);
                quote(member.getKey().toString(), target);
                target.append(':');
                write(member.getValue(), target);
                before = ',';
            }
            target.append(members.isEmpty() ? "{}" : "}");
        } else if (value instanceof List<?> elements) {
            char before = '[';
            for (Object element : elements) {
                target.append(before);
                write(element, target);
                before = ',';
            }
            target.append(elements.isEmpty() ? "[]" : "]");
        } else if (value == null || value instanceof Boolean || value instanceof Number) {
            target.append(value);
        } else {
            quote(value.toString(), target);
        }
    }

    private static void quote(String string, StringBuilder target) {
        target.append('"');
        for (int index = 0; index < string.length(); index++) {
            char character = string.charAt(index);
            if (character < ' ') {
                target.append("\\u00").append(Character.forDigit(character / 16, 16));
                target.append(Character.forDigit(character % 16, 16));
            } else {
                target.append(character == '"' || character == '\\' ? "\\" : "").append(character);
            }
        }
        target.append('"');
    }
}
