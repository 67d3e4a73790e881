"""The fields of the lines that Lambda itself writes into a function's log.

AWS: CloudWatch Logs user guide, "Supported logs and discovered fields"; Lambda developer guide,
"Working with Lambda function logs", for the lines.
"""

from typing import NamedTuple

# What `@type` can be; a line's type is an index into this, 0 for a line of the function's own.
TYPES = ("", "START", "END", "REPORT", "INIT_START")

_BEGINNINGS = tuple(
    (beginning, TYPES.index(beginning.split()[0]))
    for beginning in ("REPORT RequestId: ", "START RequestId: ", "END RequestId: ", "INIT_START ")
)
NOT_A_NUMBER = float("nan")
# AWS's sample query divides memory by 1000 twice, and 128 MB come back as 128000000.
_BYTES_OF_A_MB = 1_000_000


class LambdaLine(NamedTuple):
    """`type` is an index into TYPES. Numbers that the line does not have are NaN."""

    type: int
    duration_ms: float = NOT_A_NUMBER
    billed_duration_ms: float = NOT_A_NUMBER
    init_duration_ms: float = NOT_A_NUMBER
    memory_size_bytes: float = NOT_A_NUMBER
    max_memory_used_bytes: float = NOT_A_NUMBER


_OTHER_LINES = [LambdaLine(index) for index in range(len(TYPES))]


def read_line(message: str) -> LambdaLine:
    """A REPORT line has its fields divided by tabs: `REPORT RequestId: ...\\tDuration: 12.34 ms\\t...`."""
    for beginning, line_type in _BEGINNINGS:
        if message.startswith(beginning):
            return _report(message) if beginning.startswith("REPORT") else _OTHER_LINES[line_type]
    return _OTHER_LINES[0]


def _report(message: str) -> LambdaLine:
    fields = dict(field.partition(": ")[::2] for field in message.split("\t"))
    return LambdaLine(
        TYPES.index("REPORT"),
        _number(fields, "Duration"),
        _number(fields, "Billed Duration"),
        _number(fields, "Init Duration"),
        _number(fields, "Memory Size") * _BYTES_OF_A_MB,
        _number(fields, "Max Memory Used") * _BYTES_OF_A_MB,
    )


def _number(fields: dict[str, str], name: str) -> float:
    try:
        return float(fields[name].partition(" ")[0])
    except (KeyError, ValueError):
        return NOT_A_NUMBER
