"""Log groups for the tests of filter patterns."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# An hour ago, in ms since 1970: PutLogEvents rejects what is older than two weeks.
START_MS = int(time.time() * 1000) - 3_600_000


@dataclass
class FilterLogs:
    """A log group of its own; `client` is a boto3 client of CloudWatch Logs."""

    client: Any
    group: str

    @staticmethod
    def create(client: Any) -> "FilterLogs":
        group = f"/test/filters-{secrets.token_hex(4)}"
        client.create_log_group(logGroupName=group)
        return FilterLogs(client, group)

    def put(self, stream: str, messages: Sequence[str], times_ms: Sequence[int] | None = None) -> None:
        """Write messages, a millisecond apart from START_MS on unless `times_ms` says when."""
        times = times_ms or range(START_MS, START_MS + len(messages))
        names = self.client.describe_log_streams(logGroupName=self.group, logStreamNamePrefix=stream)
        if not names["logStreams"]:
            self.client.create_log_stream(logGroupName=self.group, logStreamName=stream)
        events = [{"timestamp": at, "message": text} for at, text in zip(times, messages, strict=True)]
        for first in range(0, len(events), 10_000):
            self.client.put_log_events(
                logGroupName=self.group, logStreamName=stream, logEvents=events[first : first + 10_000]
            )

    def page(self, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.filter_log_events(**{"logGroupName": self.group, **parameters})
        return answer

    def all(self, **parameters: Any) -> list[dict[str, Any]]:
        """The events of all pages."""
        pages = self.client.get_paginator("filter_log_events").paginate(logGroupName=self.group, **parameters)
        return [event for page in pages for event in page["events"]]

    def messages(self, **parameters: Any) -> list[str]:
        return [event["message"] for event in self.all(**parameters)]
