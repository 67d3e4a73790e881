"""Adaptive tuning against the full run.

Each function is asked for what has an answer: the fastest size of one that computes, the cheapest of one that
waits, the balanced one of a mixture. By cost, a function that computes has none: its bill is the same at all
sizes, so the full run would not name the same one twice either.

The functions compute for a fixed CPU time instead of a fixed number of steps, so that a host that changes its
speed between two runs does not change what they are asked.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from figures import show

from helpers import power_tuning
from helpers.local_aws import LocalAws
from helpers.tuning.best import Strategy
from helpers.tuning.input import POWER_VALUES
from helpers.tuning_result import TuningResult

ROUNDS = 50
REPETITIONS = 10
LEAST_AGREEMENT = 9
LARGEST_BILLED_SHARE = 0.5

SOURCE = """
import time

def compute(cpu_seconds):
    end = time.process_time() + cpu_seconds
    while time.process_time() < end:
        pass

def cpu_bound(event, context):
    compute(0.200)

def io_bound(event, context):
    time.sleep(0.040)

def mixed(event, context):
    compute(0.020)
    time.sleep(0.150)
"""
QUESTIONS: dict[str, Strategy] = {"cpu_bound": "speed", "io_bound": "cost", "mixed": "balanced"}


@pytest.mark.parametrize(("handler", "strategy"), QUESTIONS.items())
def test_adaptive_tuning_names_the_winner_of_the_full_run_at_half_its_bill(
    make_client: Callable[..., Any],
    deploy: Callable[..., str],
    local_aws: LocalAws,
    handler: str,
    strategy: Strategy,
) -> None:
    client = make_client("lambda")
    name = deploy({"index.py": SOURCE}, Handler=f"index.{handler}")
    full = power_tuning.run(client, name, num=ROUNDS)
    runs = [
        power_tuning.run(client, name, num=ROUNDS, strategy=strategy, adaptive=True, seed=seed)
        for seed in range(1, REPETITIONS + 1)
    ]
    winner = full.best(strategy)
    named_mb = [run.best(strategy).memory_mb for run in runs]
    agreement = named_mb.count(winner.memory_mb)
    share = sum(map(billed_ms, runs)) / (REPETITIONS * billed_ms(full))
    figures = {
        "full run": str(winner),
        f"adaptive: named in {REPETITIONS} runs (MB)": dict(Counter(named_mb).most_common()),
        "adaptive: the full run's winner": f"{agreement} of {REPETITIONS}",
        "adaptive: stopped with a winner": sum(run.answer is not None for run in runs),
        "adaptive: rounds": sorted(int(run.invocations["round"].max()) for run in runs),
        "adaptive: billed ms of the full run's": f"{share:.0%}",
    }
    show(
        f"Adaptive tuning of {handler} by {strategy}, against {ROUNDS} rounds of {len(POWER_VALUES)} sizes",
        pd.DataFrame({"": figures}),
        __file__,
        f"At least {LEAST_AGREEMENT} the same, at most {LARGEST_BILLED_SHARE:.0%} billed.",
        f"Limiter: {local_aws.limiter}.",
        full.calibration,
    )
    assert winner.decided
    assert agreement >= LEAST_AGREEMENT
    assert share <= LARGEST_BILLED_SHARE


def billed_ms(run: TuningResult) -> int:
    return int(run.invocations["billed_duration_ms"].sum())
