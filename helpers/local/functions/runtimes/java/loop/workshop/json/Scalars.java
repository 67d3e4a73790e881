package workshop.json;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/** Values that are neither object nor array in JSON: texts, numbers, booleans, constants. */
final class Scalars {
    private static final Map<Class<?>, Class<?>> PRIMITIVES = new HashMap<>();
    private static final BigInteger LARGEST_LONG = BigInteger.valueOf(Long.MAX_VALUE);

    static {
        PRIMITIVES.put(boolean.class, Boolean.class);
        PRIMITIVES.put(char.class, Character.class);
        PRIMITIVES.put(byte.class, Byte.class);
        PRIMITIVES.put(short.class, Short.class);
        PRIMITIVES.put(int.class, Integer.class);
        PRIMITIVES.put(long.class, Long.class);
        PRIMITIVES.put(float.class, Float.class);
        PRIMITIVES.put(double.class, Double.class);
    }

    private Scalars() {}

    static boolean isScalar(Class<?> type) {
        return type.isPrimitive()
                || type.isEnum()
                || type == String.class
                || type == CharSequence.class
                || type == UUID.class
                || type == Number.class
                || type == BigDecimal.class
                || type == BigInteger.class
                || PRIMITIVES.containsValue(type);
    }

    /** What a primitive is when JSON says null. */
    static Object zero(Class<?> primitive) {
        if (primitive == boolean.class) {
            return false;
        }
        return primitive == char.class ? (Object) '\0' : number(BigDecimal.ZERO, PRIMITIVES.get(primitive));
    }

    /** `value` is a String, Number or Boolean. Throws JsonException when it does not fit. */
    static Object convert(Object value, Class<?> type) {
        Class<?> wanted = PRIMITIVES.getOrDefault(type, type);
        String text = value instanceof String string ? string.trim() : value.toString();
        boolean isScalar = value instanceof String || value instanceof Number || value instanceof Boolean;
        if (isScalar && (wanted == String.class || wanted == CharSequence.class)) {
            return value.toString();
        }
        try {
            if (isScalar) {
                return text.isEmpty() && wanted != Character.class ? empty(type) : parse(text, wanted);
            }
        } catch (IllegalArgumentException | ArithmeticException misfit) {
            // Said below, with the value.
        }
        throw new JsonException("Cannot make " + type.getName() + " of " + JsonWriter.write(value));
    }

    private static Object empty(Class<?> type) {
        return type.isPrimitive() ? zero(type) : null;
    }

    private static Object parse(String text, Class<?> type) {
        if (type.isEnum()) {
            return constant(text, type);
        }
        if (type == UUID.class) {
            return UUID.fromString(text);
        }
        if (type == Boolean.class) {
            return bool(text);
        }
        if (type == Character.class) {
            if (text.length() != 1) {
                throw new IllegalArgumentException(text);
            }
            return text.charAt(0);
        }
        return number(new BigDecimal(text), type);
    }

    /** Null for a name that the enumeration does not have, as in AWS's Java runtime. */
    private static Object constant(String name, Class<?> type) {
        for (Object constant : type.getEnumConstants()) {
            if (((Enum<?>) constant).name().equals(name)) {
                return constant;
            }
        }
        return null;
    }

    private static boolean bool(String text) {
        if (text.equals("true") || text.equals("false")) {
            return text.equals("true");
        }
        return new BigInteger(text).signum() != 0;
    }

    /** Whole types drop a fraction, and refuse a number that is too large for them. */
    private static Object number(BigDecimal number, Class<?> type) {
        if (type == BigDecimal.class) {
            return number;
        }
        if (type == Double.class) {
            return number.doubleValue();
        }
        if (type == Float.class) {
            return number.floatValue();
        }
        boolean isWhole = number.stripTrailingZeros().scale() <= 0;
        if (type == Number.class && !isWhole) {
            return number.doubleValue();
        }
        BigInteger whole = number.toBigInteger();
        if (type == BigInteger.class || (type == Number.class && whole.abs().compareTo(LARGEST_LONG) > 0)) {
            return whole;
        }
        if (type == Byte.class) {
            return whole.byteValueExact();
        }
        if (type == Short.class) {
            return whole.shortValueExact();
        }
        boolean isInt = whole.bitLength() < Integer.SIZE;
        if (type == Integer.class || (type == Number.class && isInt)) {
            return whole.intValueExact();
        }
        return whole.longValueExact();
    }
}
