"""Time buckets: `bin`, `datefloor` and `dateceil`.

AWS, user guide, "stats" for the units, and "Boolean, comparison, numeric, datetime, and other
functions" for their caps: CloudWatch Logs does not use a number above 1000 with `ms`, above 60
with `s` and `m`, above 24 with `h`, so that `bin(300s)` makes buckets of 60 seconds.
"""

from dataclasses import dataclass

from helpers.local.services.logs_insights.syntax import MalformedQuery, Period
from helpers.local.services.logs_insights.typed import Kind, Sql, as_number

FUNCTIONS = ("bin", "datefloor", "dateceil")


@dataclass(frozen=True)
class _Unit:
    """`width_ms` for a fixed width, else the unit's name in the calendar. `cap` is the highest count."""

    names: tuple[str, ...]
    width_ms: int | None = None
    calendar: str = ""
    cap: int | None = None


_UNITS = (
    _Unit(("ms", "msec", "msecs", "millisecond", "milliseconds"), width_ms=1, cap=1000),
    _Unit(("s", "sec", "secs", "second", "seconds"), width_ms=1000, cap=60),
    _Unit(("m", "min", "mins", "minute", "minutes"), width_ms=60_000, cap=60),
    _Unit(("h", "hr", "hrs", "hour", "hours"), width_ms=3_600_000, cap=24),
    _Unit(("d", "day", "days"), width_ms=86_400_000),
    _Unit(("w", "week", "weeks"), calendar="week"),
    _Unit(("mo", "mon", "mons", "month", "months"), calendar="month"),
    _Unit(("q", "qtr", "qtrs", "quarter", "quarters"), calendar="quarter"),
    _Unit(("y", "yr", "yrs", "year", "years"), calendar="year"),
)
_UNIT_OF_NAME = {name: unit for unit in _UNITS for name in unit.names}


def bucket(time: Sql, period: Period, up: bool) -> Sql:
    """The bucket that `time` (ms since 1970) falls into: its beginning, or its end with `up`.

    Raises MalformedQuery for a period without length or of an unknown unit.
    """
    unit = _UNIT_OF_NAME.get(period.unit)
    if unit is None or period.count == 0:
        raise MalformedQuery(
            f"unexpected symbol found {period.count}{period.unit}: expected a time period such as 30s, 5m, "
            "1h, 1d, 1w, 1mo, 1q or 1y",
            period.span.start,
            period.span.end,
        )
    count = min(period.count, unit.cap or period.count)
    direction = "ceil" if up else "floor"
    if unit.width_ms is not None:
        return Sql(f"{direction}_to({as_number(time)}, {count * unit.width_ms})", Kind.TIMESTAMP)
    milliseconds = f"TRY_CAST({as_number(time)} AS BIGINT)"
    return Sql(
        f"calendar_{direction}({milliseconds}, INTERVAL '{count} {unit.calendar}')",
        Kind.TIMESTAMP,
    )
