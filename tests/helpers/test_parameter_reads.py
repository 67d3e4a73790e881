"""Reads are measured with all functions in every round, and requests are counted from the first on."""

import io
import json
from base64 import b64encode
from typing import Any

import pytest

from helpers.parameter_reads import Reads, measure

REPORT = b64encode(
    b"REPORT RequestId: 6f0f\tDuration: 1.00 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\t"
    b"Max Memory Used: 40 MB\t\n"
).decode()


class Reader:
    """Answers as a function that sends one request a read, or one in all when it is a cache."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.sent = {"each": 0, "cache": 1}

    def invoke(self, FunctionName: str, Payload: bytes, **_: Any) -> dict[str, Any]:
        count = json.loads(Payload)["fetches"]
        self.asked.append((FunctionName, count))
        if FunctionName == "each":
            self.sent["each"] += count
        took_ms = [2.0 if FunctionName == "each" else 0.1] * count
        answer = {"took_ms": took_ms, "requests": self.sent[FunctionName]}
        return {
            "Payload": io.BytesIO(json.dumps(answer).encode()),
            "LogResult": REPORT,
            "ResponseMetadata": {"HTTPHeaders": {}},
        }

    class exceptions:
        class TooManyRequestsException(Exception):
            pass


@pytest.fixture
def measured() -> tuple[Reader, Reads]:
    client = Reader()
    reads = measure(client, {"on every": "each", "kept": "cache"}, fetches=5, rounds=3, calibrate=False)
    return client, reads


def test_every_function_is_warmed_and_then_asked_in_every_round(measured: tuple[Reader, Reads]) -> None:
    asked = measured[0].asked
    assert asked[:2] == [("each", 1), ("cache", 1)]
    rounds = [sorted(asked[start : start + 2]) for start in range(2, 8, 2)]
    assert rounds == 3 * [[("cache", 5), ("each", 5)]]


def test_samples_and_requests_are_those_of_the_rounds(measured: tuple[Reader, Reads]) -> None:
    reads = measured[1]
    assert reads.samples_ms == {"on every": [2.0] * 15, "kept": [0.1] * 15}
    assert reads.requests == {"on every": 15, "kept": 0}
    assert reads.requests_per_1000_reads.to_dict() == {"on every": 1000, "kept": 0}


def test_percentiles_that_lack_samples_are_missing(measured: tuple[Reader, Reads]) -> None:
    table = measured[1].percentiles(50, 99)
    assert table["p50"].to_dict() == {"on every": 2.0, "kept": 0.1}
    assert table["p99"].isna().all()
