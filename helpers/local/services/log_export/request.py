"""What CreateExportTask's parameters mean, and the errors that AWS answers when they mean nothing.

AWS: CloudWatch Logs API reference, "CreateExportTask".
"""

from dataclasses import dataclass
from typing import Any

from helpers.local.functions.refusal import Refused

DEFAULT_PREFIX = "exportedlogs"
LONGEST_NAME = 512


@dataclass(frozen=True)
class ExportRequest:
    """Times in ms since 1970, both inclusive. `log_streams` is the prefix of the names of those meant."""

    log_group: str
    log_streams: str
    from_ms: int
    to_ms: int
    bucket: str
    prefix: str
    task_name: str | None

    @staticmethod
    def of(parameters: dict[str, Any]) -> "ExportRequest":
        """Raises Refused."""
        for name in ("logGroupName", "destination"):
            if not 1 <= len(parameters.get(name) or "") <= LONGEST_NAME:
                raise invalid(f"{name} is required and has up to {LONGEST_NAME} characters")
        from_ms, to_ms = _time(parameters, "from"), _time(parameters, "to")
        if from_ms > to_ms:
            raise invalid(f"The specified time range is invalid: from {from_ms} is after to {to_ms}")
        return ExportRequest(
            parameters["logGroupName"],
            parameters.get("logStreamNamePrefix") or "",
            from_ms,
            to_ms,
            parameters["destination"],
            parameters.get("destinationPrefix") or DEFAULT_PREFIX,
            parameters.get("taskName"),
        )

    def check_group(self, group: dict[str, Any] | None) -> None:
        """`group` is the emulator's record of the log group. Raises Refused."""
        if group is None:
            raise Refused("ResourceNotFoundException", "The specified log group does not exist.", 400)
        log_class = group.get("logGroupClass") or "STANDARD"
        if log_class != "STANDARD":
            raise invalid(
                f"Log groups of class {log_class} cannot be exported to Amazon S3: only those of STANDARD can"
            )
        if self.to_ms < group["creationTime"]:
            raise invalid(
                f"The specified time range is invalid: to {self.to_ms} is before the creation of the log "
                f"group at {group['creationTime']}"
            )


def invalid(message: str) -> Refused:
    return Refused("InvalidParameterException", message, 400)


def _time(parameters: dict[str, Any], name: str) -> int:
    value = parameters.get(name)
    if not isinstance(value, int) or value < 0:
        raise invalid(f"{name} must be a number of milliseconds since 1970-01-01, not {value}")
    return value
