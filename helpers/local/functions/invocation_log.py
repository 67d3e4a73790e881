"""The log of one invocation: platform lines and the function's own, in the order of events."""

import base64
import time

from helpers.local.functions import log_writer
from helpers.local.functions.environment import ExecutionEnvironment
from helpers.local.functions.output import LogLine
from helpers.local.functions.platform_log import platform_log
from helpers.local.functions.report import ExtensionStatus, InitReport, Report
from helpers.local.functions.role_permissions import role_allows
from helpers.local.functions.specification import FunctionVersion

# Invoke API reference: LogResult is the last 4 KB of the execution log.
LOG_TAIL_BYTES = 4096


class InvocationLog:
    """Collects lines and writes them to the environment's log stream when `flush` is called."""

    def __init__(self, function: FunctionVersion) -> None:
        self._function = function
        self._format = platform_log(function.logging_config)
        self._lines: list[LogLine] = []
        self._tail_starts_at: int | None = None

    def begin_tail(self) -> None:
        """What follows belongs to the invocation, and so to LogResult."""
        if self._tail_starts_at is None:
            self._tail_starts_at = len(self._lines)

    def init_start(self, runtime_version: str) -> None:
        arn = f"arn:aws:lambda:{self._function.region}::runtime:{runtime_version.replace(':', '-')}"
        self._add(self._format.init_start(runtime_version, arn))

    def extensions(self, statuses: list[ExtensionStatus]) -> None:
        for status in statuses:
            self._add(self._format.extension(status))

    def init_report(self, report: InitReport) -> None:
        self._add(self._format.init_report(report))

    def start(self, request_id: str) -> None:
        self.begin_tail()
        self._add(self._format.start(request_id, self._function.version))

    def function_output(self, environment: ExecutionEnvironment) -> None:
        self._lines += environment.take_output()

    def platform_text(self, text: str) -> None:
        """A line outside of the formats, such as that of a time-out."""
        self._add(text)

    def end(self, request_id: str, report: Report, exit_message: str | None = None) -> None:
        """`exit_message` is what Lambda says of a process that ended by itself."""
        self._add(self._format.end(request_id))
        self._add(self._format.report(request_id, report))
        if exit_message is not None:
            self._add(self._format.process_exit(exit_message))

    def tail(self) -> str:
        """LogResult: the end of the invocation's lines, base64."""
        text = "".join(f"{line.message}\n" for line in self._lines[self._tail_starts_at :])
        return base64.b64encode(text.encode()[-LOG_TAIL_BYTES:]).decode()

    def flush(self, log_stream_name: str) -> None:
        """Write what was collected."""
        lines, self._lines = self._lines, []
        self._tail_starts_at = None
        write(self._function, log_stream_name, lines)

    def _add(self, text: str | None) -> None:
        if text is not None:
            self._lines.append(LogLine(int(time.time() * 1000), text))


def write(function: FunctionVersion, log_stream_name: str, lines: list[LogLine]) -> None:
    """Write into a log stream of the function, if the function's role may write logs, as on Lambda.

    The caller has set account and Region of the request to those of the function.
    """
    log_group_arn = (
        f"arn:aws:logs:{function.region}:{function.account_id}:log-group:{function.log_group_name}"
    )
    stream_arn = f"{log_group_arn}:log-stream:{log_stream_name}"
    if role_allows(function.role_arn, "logs:PutLogEvents", stream_arn, function.region):
        log_writer.write(function, log_stream_name, lines)
