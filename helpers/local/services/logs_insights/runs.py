"""Queries that were started: they run on threads of their own, and their results are kept for a while."""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import duckdb

from helpers.local.services.logs_insights.compiler import Plan
from helpers.local.services.logs_insights.engine import Execution, QueryResult
from helpers.local.services.logs_insights.events import StreamEvents

STATUSES = ("Scheduled", "Running", "Complete", "Failed", "Cancelled")

_NOTHING_YET = QueryResult(rows=[], records_matched=0, records_scanned=0, bytes_scanned=0)
_logger = logging.getLogger(__name__)
# More would only share the same processors; further queries wait as "Scheduled".
_executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="logs-insights")


@dataclass
class QueryRun:
    """`status` is one of STATUSES. Times in ms since 1970."""

    query_id: str
    query_string: str
    log_groups: list[str]
    created_ms: int
    status: str = "Scheduled"
    result: QueryResult = _NOTHING_YET
    duration_ms: int = 0
    _execution: Execution = field(default_factory=Execution, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def ended(self) -> bool:
        return self.status not in STATUSES[:2]

    def start(self, plan: Plan, streams: Sequence[StreamEvents]) -> None:
        """Return at once; `status` and `result` tell how far it has come."""
        _executor.submit(self._run, plan, streams)

    def stop(self) -> bool:
        """Whether it was still under way, so that it is Cancelled now."""
        with self._lock:
            if self.ended:
                return False
            self.status = "Cancelled"
        self._execution.cancel()
        return True

    def _run(self, plan: Plan, streams: Sequence[StreamEvents]) -> None:
        if not self._change_status("Running"):
            return
        began = time.monotonic()
        try:
            self.result = self._execution.run(plan, streams)
            status = "Complete"
        except duckdb.InterruptException:
            return
        except Exception:
            _logger.exception("Logs Insights query %s failed: %s", self.query_id, self.query_string)
            status = "Failed"
        self.duration_ms = round((time.monotonic() - began) * 1000)
        self._change_status(status)

    def _change_status(self, status: str) -> bool:
        """False when the query has been stopped."""
        with self._lock:
            if self.status == "Cancelled":
                return False
            self.status = status
            return True
