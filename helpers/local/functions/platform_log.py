"""The lines that the Lambda platform itself writes into a function's log, in AWS's exact format.

Source: AWS Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs", "Lambda
execution environment lifecycle" (INIT_REPORT), "Using the Lambda Extensions API to create extensions"
(EXTENSION) and "Configuring advanced logging controls" (JSON).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from helpers.local.functions.report import ExtensionStatus, InitReport, Report


class PlatformLog(Protocol):
    """Formats platform events; a method returns None when the log level hides the event."""

    def init_start(self, runtime_version: str, runtime_version_arn: str) -> str | None: ...
    def extension(self, status: ExtensionStatus) -> str | None: ...
    def init_report(self, report: InitReport) -> str | None: ...
    def start(self, request_id: str, version: str) -> str | None: ...
    def end(self, request_id: str) -> str | None: ...
    def report(self, request_id: str, report: Report) -> str | None: ...
    def process_exit(self, message: str) -> str | None: ...


def platform_log(logging_config: dict[str, str]) -> PlatformLog:
    """The format and level that a function's LoggingConfig asks for; text is the default."""
    if logging_config.get("LogFormat") == "JSON":
        return JsonPlatformLog(logging_config.get("SystemLogLevel", "INFO"))
    return TextPlatformLog()


class TextPlatformLog:
    """Tab-separated lines. Text format has no system log level: every line is written."""

    def init_start(self, runtime_version: str, runtime_version_arn: str) -> str:
        return f"INIT_START Runtime Version: {runtime_version}\tRuntime Version ARN: {runtime_version_arn}"

    def extension(self, status: ExtensionStatus) -> str:
        error = f"\tError Type: {status.error_type}" if status.error_type else ""
        events = ",".join(status.events)
        return f"EXTENSION\tName: {status.name}\tState: {status.state}\tEvents: [{events}]{error}"

    def init_report(self, report: InitReport) -> str | None:
        # AWS writes this line for an INIT that failed; of others the REPORT line tells.
        if report.status == "success":
            return None
        error = f"\tError Type: {report.error_type}" if report.error_type else ""
        return (
            f"INIT_REPORT Init Duration: {report.duration_ms:.2f} ms\tPhase: {report.phase}\t"
            f"Status: {report.status}{error}"
        )

    def start(self, request_id: str, version: str) -> str:
        return f"START RequestId: {request_id} Version: {version}"

    def end(self, request_id: str) -> str:
        return f"END RequestId: {request_id}"

    def report(self, request_id: str, report: Report) -> str:
        fields = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {report.duration_ms:.2f} ms",
            f"Billed Duration: {report.billed_duration_ms} ms",
            f"Memory Size: {report.memory_size_mb} MB",
            f"Max Memory Used: {report.max_memory_used_mb} MB",
        ]
        if report.init_duration_ms is not None:
            fields.append(f"Init Duration: {report.init_duration_ms:.2f} ms")
        if report.status != "success":
            fields.append(f"Status: {report.status}")
        if report.error_type:
            fields.append(f"Error Type: {report.error_type}")
        return "\t".join(fields) + "\t"

    def process_exit(self, message: str) -> str:
        return message


class JsonPlatformLog:
    """One JSON object an event, hidden when `system_log_level` is above INFO."""

    def __init__(self, system_log_level: str) -> None:
        self._hides_info = system_log_level == "WARN"

    def init_start(self, runtime_version: str, runtime_version_arn: str) -> str | None:
        record = {
            "initializationType": "on-demand",
            "phase": "init",
            "runtimeVersion": runtime_version,
            "runtimeVersionArn": runtime_version_arn,
        }
        return self._event("platform.initStart", record)

    def extension(self, status: ExtensionStatus) -> str | None:
        record = {
            "name": status.name,
            "state": status.state,
            "events": list(status.events),
            **({"errorType": status.error_type} if status.error_type else {}),
        }
        return self._event("platform.extension", record, failed=status.error_type is not None)

    def init_report(self, report: InitReport) -> str | None:
        record = {
            "initializationType": "on-demand",
            "phase": report.phase,
            "status": report.status,
            **({"errorType": report.error_type} if report.error_type else {}),
            "metrics": {"durationMs": round(report.duration_ms, 3)},
        }
        # Of a successful INIT this event is of level DEBUG.
        return self._event("platform.initReport", record) if report.status != "success" else None

    def start(self, request_id: str, version: str) -> str | None:
        return self._event("platform.start", {"requestId": request_id, "version": version})

    def end(self, request_id: str) -> str | None:
        # JSON format has platform.runtimeDone of level DEBUG in its place.
        return None

    def report(self, request_id: str, report: Report) -> str | None:
        metrics: dict[str, float] = {
            "durationMs": round(report.duration_ms, 3),
            "billedDurationMs": report.billed_duration_ms,
            "memorySizeMB": report.memory_size_mb,
            "maxMemoryUsedMB": report.max_memory_used_mb,
        }
        if report.init_duration_ms is not None:
            metrics["initDurationMs"] = round(report.init_duration_ms, 3)
        record = {"requestId": request_id, "metrics": metrics, "status": report.status}
        if report.error_type:
            record["errorType"] = report.error_type
        return self._event("platform.report", record, failed=report.status != "success")

    def process_exit(self, message: str) -> None:
        # The report's errorType says it.
        return None

    def _event(self, event_type: str, record: Mapping[str, object], failed: bool = False) -> str | None:
        if self._hides_info and not failed:
            return None
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return json.dumps({"time": now, "type": event_type, "record": record})
