"""The curve that the memory law predicts from one size, against the measured one."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from figures import show

from helpers import power_tuning
from helpers.local_aws import LocalAws
from helpers.prediction import predict
from helpers.tuning.input import POWER_VALUES

ROUNDS = 50
LARGEST_ERROR = 0.10

# The three functions of notebook 01. The first computes for longer, because how long it takes to do what ends
# within a period of 20 ms depends on when in the period it began. Their work is a number of steps, so that
# their CPU time is not the same in every invocation and at every size.
SOURCE = """
import time

def compute(steps):
    total = 0
    for number in range(steps):
        total += number * number
    return total

def cpu_bound(event, context):
    compute(1_200_000)

def io_bound(event, context):
    time.sleep(0.040)

def mixed(event, context):
    compute(150_000)
    time.sleep(0.020)
"""


@pytest.mark.parametrize("handler", ["cpu_bound", "io_bound", "mixed"])
def test_the_memory_law_predicts_durations_from_one_size(
    make_client: Callable[..., Any], deploy: Callable[..., str], local_aws: LocalAws, handler: str
) -> None:
    """Eismann and others, "Sizeless" (2021), predict from one size with an error of 15.3 %."""
    name = deploy({"index.py": SOURCE}, Handler=f"index.{handler}")
    full = power_tuning.run(make_client("lambda"), name, num=ROUNDS)
    prediction = predict(full)
    from_two = predict(full, (min(POWER_VALUES), max(POWER_VALUES)))
    table = pd.DataFrame({"measured_ms": full.table["mean_ms"]})
    for column, made in (("one_size", prediction), ("two_sizes", from_two)):
        table[f"{column}_ms"] = made.table["duration_ms"]
        table[f"{column}_error"] = made.table["duration_ms"] / table["measured_ms"] - 1
    show(
        f"Duration of {handler}, measured in {ROUNDS} rounds and predicted",
        table.round(3),
        __file__,
        prediction,
        f"{from_two} The way for AWS, which reports no CPU time.",
        f"At most {LARGEST_ERROR:.0%} from one size. Limiter: {local_aws.limiter}.",
        full.calibration,
    )
    assert prediction.error(full) <= LARGEST_ERROR
