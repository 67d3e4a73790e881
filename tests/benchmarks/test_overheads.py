"""What the local AWS adds: to a warm invocation, and to the start of a runtime."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bare_runtime import time_start_ms
from figures import show

from helpers import cold_starts, comparison

WARM_ROUNDS = 500
COLD_ROUNDS = 25
LARGEST_WARM_RATIO = 2.5
LARGEST_INIT_RATIO = 1.3
NOTHING = "def handler(event, context):\n    return None\n"


def test_a_warm_invocation_takes_little_longer_than_the_simplest_call(
    deploy: Callable[..., str], make_client: Callable[..., Any]
) -> None:
    lambda_client, sts = make_client("lambda"), make_client("sts")
    name = deploy({"index.py": NOTHING})

    def invoke() -> None:
        lambda_client.invoke(FunctionName=name)["Payload"].read()

    variants = {
        "lambda.invoke": _timed_ms(invoke),
        "sts.get_caller_identity": _timed_ms(sts.get_caller_identity),
    }
    comparison.run(variants, rounds=30, calibrate=False)
    measured = comparison.run(variants, WARM_ROUNDS)
    table = measured.table()
    ratio = table["p50"]["lambda.invoke"] / table["p50"]["sts.get_caller_identity"]
    show(
        "A warm invocation of a no-op (1,769 MB) and the simplest call, through boto3, in ms",
        table.round(2),
        __file__,
        f"Ratio of the p50: {ratio:.2f}, at most {LARGEST_WARM_RATIO}.",
        measured.calibration,
    )
    assert ratio <= LARGEST_WARM_RATIO


def test_init_takes_little_longer_than_the_bare_runtime(
    deploy: Callable[..., str], make_client: Callable[..., Any], tmp_path: Path
) -> None:
    client = make_client("lambda")
    name = deploy({"index.py": NOTHING})
    (tmp_path / "index.py").write_text(NOTHING)

    def init_duration_ms() -> float:
        return cold_starts.force(client, [name], rounds=1, calibrate=False).samples(name)[0]

    variants = {
        "Init Duration": init_duration_ms,
        "bare awslambdaric": lambda: time_start_ms(tmp_path, "index.handler"),
    }
    # The first start of each compiles what it imports.
    comparison.run(variants, rounds=2, calibrate=False)
    measured = comparison.run(variants, COLD_ROUNDS)
    table = measured.table()
    ratio = table["p50"]["Init Duration"] / table["p50"]["bare awslambdaric"]
    show(
        "Start of a Python runtime with a trivial handler, in ms",
        table.round(1),
        __file__,
        f"Ratio of the p50: {ratio:.2f}, at most {LARGEST_INIT_RATIO}.",
        measured.calibration,
    )
    assert ratio <= LARGEST_INIT_RATIO


def _timed_ms(call: Callable[[], Any]) -> Callable[[], float]:
    def timed() -> float:
        started = time.perf_counter()
        call()
        return (time.perf_counter() - started) * 1000

    return timed
