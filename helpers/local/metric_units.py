"""The units that CloudWatch knows: API reference, "MetricDatum", Unit."""

_SIZES = (
    "Bytes",
    "Bits",
    *(f"{prefix}{unit}" for prefix in ("Kilo", "Mega", "Giga", "Tera") for unit in ("bytes", "bits")),
)
_RATES = (f"{size}/Second" for size in _SIZES)
_OTHERS = ("Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None")
UNITS = (*_SIZES, *_RATES, *_OTHERS)
