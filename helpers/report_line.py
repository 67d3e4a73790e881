"""The REPORT line with which Lambda closes an invocation, as a dataclass.

Format: AWS Lambda Developer Guide, "Understanding Lambda log formats" (text) and the Telemetry API's
`platform.report` event (JSON log format).
"""

import json
import re
from dataclasses import dataclass
from typing import Any

_START = "REPORT RequestId: "
_FIELD = re.compile(r"(?P<name>[A-Z][A-Za-z ]*): (?P<value>[^\t\n]*)")


class NoReportLine(ValueError):
    """The log text holds no REPORT line that can be read."""


@dataclass(frozen=True)
class ReportLine:
    """What Lambda measured of one invocation.

    `init_duration_ms` is set on a cold start only, `restore_duration_ms` after a SnapStart restore only.
    `status` is "timeout", "error" or "failure" when Lambda reports one, with its `error_type`, else None.
    """

    request_id: str
    duration_ms: float
    billed_duration_ms: int
    memory_size_mb: int
    max_memory_used_mb: int
    init_duration_ms: float | None = None
    restore_duration_ms: float | None = None
    status: str | None = None
    error_type: str | None = None

    @property
    def cold_start(self) -> bool:
        return self.init_duration_ms is not None or self.restore_duration_ms is not None

    @property
    def total_duration_ms(self) -> float:
        """Duration plus Init Duration plus Restore Duration: what the caller waits for in Lambda."""
        return self.duration_ms + (self.init_duration_ms or 0.0) + (self.restore_duration_ms or 0.0)


def last(log_text: str) -> ReportLine:
    """The last REPORT line of a log text, such as the decoded `LogResult` of an invocation.

    Raises NoReportLine when there is none, or when the one there cannot be read.
    """
    for line in reversed(log_text.splitlines()):
        if line.startswith(_START):
            return parse(line)
        if line.startswith("{") and '"platform.report"' in line:
            return parse_json(line)
    raise NoReportLine(f"No REPORT line in {log_text[-200:]!r}.")


def parse(line: str) -> ReportLine:
    """Read a REPORT line of the text log format. Raises NoReportLine when it is not one."""
    if not line.startswith(_START):
        raise NoReportLine(f"A REPORT line starts with {_START!r}; this does not: {line[:200]!r}.")
    fields = {
        match["name"]: match["value"].strip() for match in _FIELD.finditer(line.removeprefix("REPORT "))
    }
    try:
        return ReportLine(
            request_id=fields["RequestId"],
            duration_ms=_number(fields["Duration"], "ms"),
            billed_duration_ms=int(_number(fields["Billed Duration"], "ms")),
            memory_size_mb=int(_number(fields["Memory Size"], "MB")),
            max_memory_used_mb=int(_number(fields["Max Memory Used"], "MB")),
            init_duration_ms=_optional(fields, "Init Duration"),
            restore_duration_ms=_optional(fields, "Restore Duration"),
            status=fields.get("Status"),
            error_type=fields.get("Error Type"),
        )
    except (KeyError, ValueError) as error:
        raise NoReportLine(f"This REPORT line cannot be read ({error}): {line!r}.") from error


def parse_json(line: str) -> ReportLine:
    """Read a `platform.report` record of the JSON log format. Raises NoReportLine when it is not one."""
    try:
        record: dict[str, Any] = json.loads(line)["record"]
        metrics: dict[str, Any] = record["metrics"]
        return ReportLine(
            request_id=record["requestId"],
            duration_ms=float(metrics["durationMs"]),
            billed_duration_ms=int(metrics["billedDurationMs"]),
            memory_size_mb=int(metrics["memorySizeMB"]),
            max_memory_used_mb=int(metrics["maxMemoryUsedMB"]),
            init_duration_ms=metrics.get("initDurationMs"),
            restore_duration_ms=metrics.get("restoreDurationMs"),
            status=record["status"] if record.get("status") != "success" else None,
            error_type=record.get("errorType"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NoReportLine(f"This platform.report record cannot be read ({error}): {line!r}.") from error


def _number(text: str, unit: str) -> float:
    number, _, found_unit = text.partition(" ")
    if found_unit != unit:
        raise ValueError(f"expected {unit} in {text!r}")
    return float(number)


def _optional(fields: dict[str, str], name: str) -> float | None:
    return _number(fields[name], "ms") if name in fields else None
