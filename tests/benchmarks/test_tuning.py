"""Adaptive tuning against the full run, and the curve that the memory law predicts against the measured one.

What "the same winner" means: two sizes may differ by less than 50 rounds can tell, and then the full run does
not name the same one twice either. So the full run says which sizes it accepts as winners: the one that it
names by the rule that adaptive tuning uses (`elimination`), the cheapest one, and those that it cannot tell
from the cheapest at 95 %. How often the very same size was named is printed beside it, and how often the full
run agrees with itself when its rounds are drawn anew.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figures import show

from helpers import functions, power_tuning
from helpers.local_aws import LocalAws
from helpers.prediction import predict
from helpers.tuning import elimination
from helpers.tuning.input import POWER_VALUES
from helpers.tuning_result import TuningResult

ROUNDS = 50
REPETITIONS = 10
RESAMPLES = 100
LEAST_AGREEMENT = 9
LARGEST_BILLED_SHARE = 0.5
LARGEST_PREDICTION_ERROR = 0.10
SEED = 1

# The three functions of notebook 01.
SOURCE = """
import time

def compute(steps):
    total = 0
    for number in range(steps):
        total += number * number
    return total

def cpu_bound(event, context):
    compute(400_000)

def io_bound(event, context):
    time.sleep(0.040)

def mixed(event, context):
    compute(150_000)
    time.sleep(0.020)
"""
HANDLERS = ("cpu_bound", "io_bound", "mixed")


@pytest.fixture(scope="module")
def names(make_client: Callable[..., Any], lambda_role: str) -> Iterator[dict[str, str]]:
    """The names of the three functions by handler."""
    client = make_client("lambda")
    deployed = {handler: f"benchmark-tuning-{handler}" for handler in HANDLERS}
    for handler, name in deployed.items():
        client.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler=f"index.{handler}",
            Role=lambda_role,
            Code={"ZipFile": functions.package(texts={"index.py": SOURCE})},
            Timeout=30,
        )
        client.get_waiter("function_active_v2").wait(FunctionName=name)
    yield deployed
    for name in deployed.values():
        client.delete_function(FunctionName=name)


@pytest.fixture(scope="module")
def full_runs(make_client: Callable[..., Any], names: dict[str, str]) -> dict[str, TuningResult]:
    """Every size in every round."""
    client = make_client("lambda")
    return {handler: power_tuning.run(client, name, num=ROUNDS) for handler, name in names.items()}


@pytest.mark.parametrize("handler", HANDLERS)
def test_adaptive_tuning_names_the_winner_of_the_full_run_at_half_its_bill(
    make_client: Callable[..., Any],
    names: dict[str, str],
    full_runs: dict[str, TuningResult],
    local_aws: LocalAws,
    handler: str,
) -> None:
    client, full = make_client("lambda"), full_runs[handler]
    runs = [
        power_tuning.run(client, names[handler], num=ROUNDS, adaptive=True, seed=seed)
        for seed in range(1, REPETITIONS + 1)
    ]
    named = [winner(run) for run in runs]
    cheapest = full.best("cost")
    accepted = {winner(full), cheapest.memory_mb, *cheapest.undecided_mb}
    agreement = sum(size in accepted for size in named)
    share = sum(map(billed_ms, runs)) / (REPETITIONS * billed_ms(full))
    figures = {
        "full run: winner (MB)": winner(full),
        "full run: accepted as winners (MB)": sorted(accepted),
        "full run: drawn anew, names the same": f"{agreement_with_itself(full):.0%}",
        f"adaptive: named in {REPETITIONS} runs (MB)": dict(Counter(named).most_common()),
        "adaptive: the very same": f"{named.count(winner(full))} of {REPETITIONS}",
        "adaptive: accepted": f"{agreement} of {REPETITIONS}",
        "adaptive: rounds": sorted(int(run.invocations["round"].max()) for run in runs),
        "adaptive: stopped with a winner": sum(run.answer is not None for run in runs),
        "adaptive: billed ms of the full run's": f"{share:.0%}",
    }
    show(
        f"Adaptive tuning of {handler} by cost, against {ROUNDS} rounds of {len(POWER_VALUES)} sizes",
        pd.DataFrame({"": figures}),
        __file__,
        f"At least {LEAST_AGREEMENT} accepted, at most {LARGEST_BILLED_SHARE:.0%} billed.",
        f"Limiter: {local_aws.limiter}.",
        full.calibration,
    )
    assert agreement >= LEAST_AGREEMENT
    assert share <= LARGEST_BILLED_SHARE


@pytest.mark.parametrize("handler", HANDLERS)
def test_the_memory_law_predicts_durations_from_one_size(
    full_runs: dict[str, TuningResult], local_aws: LocalAws, handler: str
) -> None:
    """Eismann and others, "Sizeless" (2021), predict from one size with an error of 15.3 %."""
    full = full_runs[handler]
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
        f"At most {LARGEST_PREDICTION_ERROR:.0%} from one size. Limiter: {local_aws.limiter}.",
        full.calibration,
    )
    assert prediction.error(full) <= LARGEST_PREDICTION_ERROR


def winner(run: TuningResult) -> int | None:
    """The size that the run's rounds name by the rule of adaptive tuning."""
    sizes = set(run.invocations["memory_mb"]) - {dropped.memory_mb for dropped in run.eliminated}
    return elimination.decide(run.invocations, sorted(sizes), "cost").best_mb


def billed_ms(run: TuningResult) -> int:
    return int(run.invocations["billed_duration_ms"].sum())


def agreement_with_itself(full: TuningResult) -> float:
    """The share of runs of as many rounds, drawn from those of `full`, that name what `full` names."""
    generator = np.random.default_rng(SEED)
    by_round = dict(list(full.invocations.groupby("round")))
    same = 0
    for _ in range(RESAMPLES):
        drawn = generator.choice(list(by_round), len(by_round))
        rounds = [by_round[old].assign(round=new) for new, old in enumerate(drawn)]
        decision = elimination.decide(pd.concat(rounds), POWER_VALUES, "cost")
        same += decision.best_mb == winner(full)
    return same / RESAMPLES
