-- Conversions between the types that a field of a log can have. Log fields are text until an
-- operation asks for something else.

-- The number that a text spells, else NULL. DuckDB also casts 'nan', 'inf' and '1_000'.
CREATE MACRO number_of(t) AS
    CASE WHEN NOT contains(t, '_') AND isfinite(TRY_CAST(t AS DOUBLE)) THEN TRY_CAST(t AS DOUBLE) END;

-- A computed number as Logs Insights returns it: at most four decimals, no trailing zeros.
CREATE MACRO text_of_number(n) AS
    CASE
        WHEN n IS NULL OR NOT isfinite(n) THEN NULL
        WHEN abs(n) < 0.00005 THEN '0'
        WHEN n = trunc(n) AND abs(n) < 9e15 THEN CAST(CAST(n AS BIGINT) AS VARCHAR)
        ELSE regexp_replace(printf('%.4f', n), '\.?0+$', '')
    END;

-- Milliseconds since 1970 as Logs Insights returns a timestamp, in UTC.
CREATE MACRO text_of_time(ms) AS TRY(strftime(make_timestamp_ms(ms), '%Y-%m-%d %H:%M:%S.%g'));

-- Natural sorting: runs of digits compare by their length first and then by their value, everything
-- else by Unicode. A run begins with one '0' so that against another character it sorts as a digit.
CREATE MACRO natural_key(t) AS array_to_string(
    list_transform(
        regexp_extract_all(t, '[0-9]+|[^0-9]+'),
        lambda part: CASE
            WHEN part[1] BETWEEN '0' AND '9' THEN '0' || lpad(CAST(length(part) AS VARCHAR), 6, '0') || part
            ELSE part
        END
    ),
    ''
);

-- The first group of a regular expression; no match and an empty match are both a missing field.
CREATE MACRO extracted(t, pattern) AS nullif(regexp_extract(t, pattern, 1), '');

-- Time buckets: of a fixed width in milliseconds counted from 1970, and of the calendar.
CREATE MACRO floor_to(ms, width) AS TRY_CAST(floor(ms / width) * width AS BIGINT);
CREATE MACRO ceil_to(ms, width) AS TRY_CAST(ceil(ms / width) * width AS BIGINT);
CREATE MACRO calendar_floor(ms, width) AS epoch_ms(time_bucket(width, make_timestamp_ms(ms)));
CREATE MACRO calendar_ceil(ms, width) AS
    CASE
        WHEN calendar_floor(ms, width) = ms THEN ms
        ELSE epoch_ms(make_timestamp_ms(calendar_floor(ms, width)) + width)
    END;

-- What @ptr shows and GetLogRecord takes: enough to find the event again. See pointers.py.
CREATE MACRO pointer_of(log, log_stream, ms, message) AS
    to_base64(encode(concat_ws(chr(10), log, log_stream, CAST(ms AS VARCHAR), md5(message))));
