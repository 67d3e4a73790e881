"""Asynchronous invocation: one queue for every event, retries, and what becomes of failed ones.

AWS Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation":
a function's error is retried twice, after one and after two more minutes; a throttled invocation
or a failure of the platform is retried for up to six hours, after one second at first and five
minutes at most. Events that fail or expire go to the on-failure destination and to the dead-letter
queue, if there are any; successful ones to the on-success destination.

Here the waits are shortened by the factor WORKSHOP_RETRY_SPEEDUP of the environment, by default 100, so
that a function's error is retried after 0.6 s and after 1.2 s. The seconds left out count towards
the age of the event as if they had passed.
"""

import contextlib
import logging
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from ministack.core.responses import request_scope
from ministack.services import cloudwatch, lambda_svc

from helpers.local import contract
from helpers.local.functions import destinations, routing
from helpers.local.functions import invocation_records as records
from helpers.local.functions.environment import SandboxFailed
from helpers.local.functions.event_queue import EventQueue
from helpers.local.functions.event_settings import EventSettings
from helpers.local.functions.execution import InvocationResult
from helpers.local.functions.invocation_records import FinishedInvocation, Response
from helpers.local.functions.packages import PackageUnreadable
from helpers.local.functions.pool import Throttled
from helpers.local.functions.runtimes import RuntimeUnavailable
from helpers.local.functions.tracing import RecursiveLoop

logger = logging.getLogger("lambda.asynchronous")

RETRY_WAITS_S = (60.0, 120.0)
FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 300.0
DEFAULT_RETRY_SPEEDUP = 100.0

_functions = contract.expect(lambda_svc, "_functions")
_record_metric = contract.expect(
    cloudwatch, "record_metric", ("namespace", "metric_name", "value", "unit", "dimensions")
)


class Execute(Protocol):
    """Runs one event to its end, in the function's own account and Region."""

    def __call__(
        self, record: dict[str, Any], payload: bytes, *, request_id: str, trace_header: str | None
    ) -> InvocationResult: ...


def retry_speedup() -> float:
    """How much faster than on AWS an event waits for its next attempt."""
    return max(1.0, float(os.environ.get("WORKSHOP_RETRY_SPEEDUP", DEFAULT_RETRY_SPEEDUP)))


@dataclass
class AsynchronousEvent:
    """One event on its way through the queue. `function_arn` is as it was invoked."""

    function_arn: str
    payload: bytes
    request_id: str
    trace_header: str | None = None
    received_s: float = field(default_factory=time.monotonic)
    left_out_s: float = 0.0
    invoke_count: int = 0
    backoffs: int = 0
    last_response: Response | None = None

    @property
    def function_key(self) -> str:
        return ":".join(self.function_arn.split(":")[:7])

    @property
    def qualifier(self) -> str | None:
        parts = self.function_arn.split(":")
        return parts[7] if len(parts) > 7 else None

    @property
    def age_s(self) -> float:
        """As old as the event would be on AWS."""
        return time.monotonic() - self.received_s + self.left_out_s

    def next_backoff_s(self) -> float:
        """The wait after an attempt that did not reach the function."""
        self.backoffs += 1
        return min(FIRST_BACKOFF_S * 2.0 ** (self.backoffs - 1), LONGEST_BACKOFF_S)


class AsynchronousInvocations:
    """Takes events from every service and sees each of them to its end."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._speedup = retry_speedup()
        self._queue = EventQueue(self._process)

    def enqueue(
        self,
        function_arn: str,
        payload: bytes,
        request_id: str | None = None,
        trace_header: str | None = None,
    ) -> str:
        """Put an event into the queue and return the request id that all its attempts have.

        `payload` is JSON. The function is looked up when the event's turn comes: an event of a
        function that is gone by then is dropped.
        """
        event = AsynchronousEvent(function_arn, payload, request_id or str(uuid.uuid4()), trace_header)
        _publish(event, "AsyncEventsReceived", 1)
        self._queue.put(event)
        return event.request_id

    def _process(self, event: AsynchronousEvent) -> float | None:
        """One attempt. Returns the seconds to the next one, None when the event is done with."""
        _, _, _, region, account_id, _, name, *_ = event.function_arn.split(":")
        with request_scope(account_id, region):
            function = _functions.get(name)
            record = routing.resolve(function, event.qualifier)
            if function is None or record is None:
                logger.warning("%s is gone: an event of it was dropped", event.function_arn)
                _publish(event, "AsyncEventsDropped", 1)
                return None
            settings = EventSettings.of_function(function, event.qualifier)
            if function.get("concurrency") == 0:
                # Such events are not even tried.
                outcome: str | float = records.ZERO_RESERVED_CONCURRENCY
            else:
                outcome = self._attempt(event, record, settings)
            if not isinstance(outcome, str) and event.age_s + outcome > settings.event_age_s:
                outcome = records.EVENT_AGE_EXCEEDED
            if isinstance(outcome, str):
                _finish(event, record["config"], settings, outcome)
                return None
        waited_s = outcome / self._speedup
        event.left_out_s += outcome - waited_s
        return waited_s

    def _attempt(
        self, event: AsynchronousEvent, record: dict[str, Any], settings: EventSettings
    ) -> str | float:
        """Run the function. Returns the condition under which the event is done with, or else the
        seconds that AWS would wait before the next attempt."""
        _publish(event, "AsyncEventAge", event.age_s * 1000, "Milliseconds")
        try:
            result = self._execute(
                record, event.payload, request_id=event.request_id, trace_header=event.trace_header
            )
        except Throttled as throttled:
            event.last_response = Response(429, error_message=str(throttled))
            return event.next_backoff_s()
        except (RuntimeUnavailable, PackageUnreadable, SandboxFailed) as error:
            logger.warning("%s could not be run: %s", event.function_arn, error)
            event.last_response = Response(500, error_message=str(error))
            return event.next_backoff_s()
        except RecursiveLoop:
            event.last_response = Response(400, error_message="A recursive loop was stopped.")
            _publish(event, "RecursiveInvocationsDropped", 1)
            return records.RECURSIVE_INVOCATION
        event.invoke_count += 1
        event.last_response = Response(200, result.executed_version, result.function_error, result.payload)
        if result.function_error is None:
            return records.SUCCESS
        if event.invoke_count > settings.retry_attempts:
            return records.RETRIES_EXHAUSTED
        return RETRY_WAITS_S[event.invoke_count - 1]


def _finish(
    event: AsynchronousEvent, config: dict[str, Any], settings: EventSettings, condition: str
) -> None:
    """Tell the destinations. `config` is that of the version that was to run."""
    finished = FinishedInvocation(
        request_id=event.request_id,
        function_arn=event.function_arn if event.qualifier else f"{event.function_arn}:{routing.LATEST}",
        condition=condition,
        invoke_count=event.invoke_count,
        payload=event.payload,
        response=event.last_response,
        finished_at=datetime.now(UTC),
    )
    destination = settings.on_success if finished.succeeded else settings.on_failure
    if destination:
        with _failures_counted(event, "DestinationDeliveryFailures", destination):
            destinations.send_record(destination, config, finished)
    if finished.succeeded:
        return
    _publish(event, "AsyncEventsDropped", 1)
    dead_letter = (config.get("DeadLetterConfig") or {}).get("TargetArn")
    if dead_letter:
        with _failures_counted(event, "DeadLetterErrors", dead_letter):
            destinations.send_dead_letter(dead_letter, config, finished)


@contextlib.contextmanager
def _failures_counted(event: AsynchronousEvent, metric: str, arn: str) -> Iterator[None]:
    """As on AWS, a metric tells of a delivery that failed, and the record is gone."""
    try:
        yield
    except Exception as error:
        logger.warning("%s did not take a record of %s: %s", arn, event.function_arn, error)
        _publish(event, metric, 1)


def _publish(event: AsynchronousEvent, name: str, value: float, unit: str = "Count") -> None:
    """Metrics of asynchronous invocation: by function, and by the version or alias that was invoked."""
    _, _, _, region, account_id, _, function_name, *_ = event.function_arn.split(":")
    dimensions: list[dict[str, str]] = [{}, {"FunctionName": function_name}]
    if event.qualifier:
        resource = f"{function_name}:{event.qualifier}"
        dimensions.append({"FunctionName": function_name, "Resource": resource})
    with request_scope(account_id, region):
        for each in dimensions:
            _record_metric("AWS/Lambda", name, value, unit, each)
