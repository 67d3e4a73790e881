"""Prediction by the memory law, on runs whose CPU time and waiting are known."""

import math

import numpy as np
import pandas as pd
import pytest

from helpers import pricing
from helpers.prediction import MB_PER_VCPU, PERIOD_MS, burst_durations_ms, predict
from helpers.tuning_result import TuningResult

SIZES = (128, 256, 512, 1024, 1769, 3008)


def invocations_of(
    cpu_ms: float,
    wait_ms: float,
    memory_mb: int,
    reported: bool,
    init_ms: float = math.nan,
    threads: float = 1,
) -> pd.DataFrame:
    """One invocation of a size for each phase; `reported` says whether the CPU time is known."""
    bursts_ms = burst_durations_ms(cpu_ms, memory_mb, threads)
    durations_ms = bursts_ms + wait_ms + np.nan_to_num(init_ms)
    return pd.DataFrame(
        {
            "round": range(1, len(durations_ms) + 1),
            "memory_mb": memory_mb,
            "duration_ms": durations_ms,
            "init_duration_ms": init_ms,
            "billed_duration_ms": np.ceil(durations_ms),
            "max_memory_used_mb": 30,
            "cost_usd": [pricing.invocation_usd(duration_ms, memory_mb) for duration_ms in durations_ms],
            "cpu_ms": cpu_ms if reported else math.nan,
        }
    )


def run_of(
    cpu_ms: float,
    wait_ms: float,
    sizes: tuple[int, ...] = SIZES,
    reported: bool = True,
    **details: float,
) -> TuningResult:
    frames = [invocations_of(cpu_ms, wait_ms, size, reported, **details) for size in sizes]
    return TuningResult("resize", "x86_64", 0.2, pd.concat(frames, ignore_index=True), (), None)


# The law


@pytest.mark.parametrize("memory_mb", [128, 256, 512, 1024])
def test_in_the_long_run_cpu_time_takes_1769_over_memory_times_as_long(memory_mb: int) -> None:
    """AWS Lambda Developer Guide, "Configure Lambda function memory". The first quota comes at once."""
    durations_ms = burst_durations_ms(10_000, memory_mb)
    stretched_ms = 10_000 * MB_PER_VCPU / memory_mb
    assert durations_ms.mean() == pytest.approx(stretched_ms, rel=0.002)
    assert durations_ms.max() <= stretched_ms + PERIOD_MS


@pytest.mark.parametrize("memory_mb", [1769, 1770, 3008, 10_240])
def test_from_one_vcpu_on_a_single_thread_is_not_limited(memory_mb: int) -> None:
    assert set(burst_durations_ms(300, memory_mb)) == {300.0}


def test_two_threads_gain_up_to_two_vcpus() -> None:
    assert burst_durations_ms(300, 2 * MB_PER_VCPU, threads=2).mean() == 150
    assert burst_durations_ms(300, MB_PER_VCPU, threads=2).mean() == pytest.approx(300, rel=0.1)


def test_a_burst_within_the_quota_is_not_limited() -> None:
    """Linux, "CFS Bandwidth Control": threads run until the quota of the period is used up."""
    quota_ms = PERIOD_MS * 512 / MB_PER_VCPU
    assert (burst_durations_ms(0.99 * quota_ms, 512) == 0.99 * quota_ms).all()


def test_a_burst_beyond_the_quota_waits_for_the_next_period_at_most_phases() -> None:
    quota_ms = PERIOD_MS * 512 / MB_PER_VCPU
    durations_ms = burst_durations_ms(quota_ms + 4.5, 512)
    assert (durations_ms > quota_ms + 4.5).mean() > 0.6
    assert durations_ms.max() < PERIOD_MS + 4.5


def test_at_128_mb_pauses_span_several_periods_as_published_for_aws() -> None:
    """pwrdrvr/lambda-throttling, docs/index.html: loops of 4.5 ms CPU time took 20 to 97 ms at 128 MB."""
    steps = np.diff([burst_durations_ms(4.5 * count, 128) for count in range(5, 15)], axis=0)
    assert steps.mean() == pytest.approx(4.5 * MB_PER_VCPU / 128, rel=0.1)
    assert steps.min() < 21 and steps.max() > 95


# Prediction


@pytest.mark.parametrize(
    ("cpu_ms", "wait_ms"), [(30.0, 0.2), (0.8, 40.0), (8.0, 20.0)], ids=["computes", "waits", "both"]
)
@pytest.mark.parametrize("memory_mb", [512, 1024, 3008])
def test_one_size_with_cpu_time_gives_the_whole_curve(cpu_ms: float, wait_ms: float, memory_mb: int) -> None:
    prediction = predict(run_of(cpu_ms, wait_ms), np.int64(memory_mb))
    assert prediction.cpu_ms == pytest.approx(cpu_ms)
    assert prediction.wait_ms == pytest.approx(wait_ms, abs=0.01)
    assert prediction.error(run_of(cpu_ms, wait_ms)) < 0.001


@pytest.mark.parametrize(
    ("cpu_ms", "wait_ms"), [(30.0, 0.2), (0.8, 40.0), (8.0, 20.0)], ids=["computes", "waits", "both"]
)
def test_two_sizes_give_it_where_no_cpu_time_is_reported(cpu_ms: float, wait_ms: float) -> None:
    tuning = run_of(cpu_ms, wait_ms, reported=False)
    prediction = predict(tuning, (256, 1769))
    assert prediction.cpu_ms == pytest.approx(cpu_ms, rel=0.02, abs=1)
    assert prediction.error(tuning) < 0.02
    assert prediction.source == "two sizes, 256 and 1,769 MB"


def test_the_largest_size_is_the_default_and_the_extremes_without_cpu_time() -> None:
    assert predict(run_of(30, 5)).source == "CPU time at 3,008 MB"
    assert predict(run_of(30, 5, reported=False)).source_sizes == (128, 3008)


def test_the_table_has_durations_and_costs_of_the_sizes_asked_for() -> None:
    table = predict(run_of(30, 5, (1769,)), sizes=[128, 1769, 3008]).table
    assert list(table.index) == [128, 1769, 3008] and table.index.name == "memory_mb"
    assert table.loc[1769, "duration_ms"] == pytest.approx(35)
    assert table.loc[3008, "duration_ms"] == table.loc[1769, "duration_ms"]
    assert table.loc[3008, "cost_usd"] == pytest.approx(pricing.invocation_usd(35, 3008))


def test_init_takes_as_long_at_every_size() -> None:
    """AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle"."""
    cold_starts = run_of(30, 5, init_ms=120.0)
    prediction = predict(cold_starts, 1024)
    assert prediction.init_ms == pytest.approx(120)
    assert prediction.duration_ms(3008) == pytest.approx(155)
    assert prediction.error(cold_starts) < 0.001
    assert "120.0 ms of INIT" in str(prediction)


def test_parallel_work_is_seen_where_memory_allows_it_and_said() -> None:
    prediction = predict(run_of(300, 0, threads=1.7), 3008)
    assert prediction.threads == pytest.approx(1.7)
    assert prediction.duration_ms(10_240) == pytest.approx(300 / 1.7)
    assert prediction.duration_ms(MB_PER_VCPU) == pytest.approx(300, rel=0.05)
    assert "It used 1.7 vCPUs at once" in str(prediction)


def test_the_error_is_that_of_sizes_which_the_prediction_did_not_use() -> None:
    tuning = run_of(30, 5, (1769, 3008))
    slower = tuning.invocations.copy()
    slower.loc[slower["memory_mb"] == 3008, "duration_ms"] *= 1.25
    measured = TuningResult("resize", "x86_64", 0.2, slower, (), None)
    assert predict(tuning, 1769).error(measured) == pytest.approx(0.2)
    text = str(predict(measured, 1769))
    assert text == (
        "Predicted from CPU time at 1,769 MB: 30.0 ms of CPU time, 5.0 ms of waiting. "
        "Mean absolute error of the duration at 3,008 MB: 20.0%."
    )


def test_without_another_size_there_is_no_error() -> None:
    alone = run_of(30, 5, (1024,))
    prediction = predict(alone)
    assert str(prediction).endswith("of waiting.")
    with pytest.raises(ValueError, match=r"from 1,024 MB is judged by other sizes; none was measured"):
        prediction.error(alone)


@pytest.mark.parametrize(
    ("memory_mb", "message"),
    [
        (2048, r"2,048 MB was not measured, only 128, 256, 512, 1,024, 1,769 and 3,008 MB"),
        (1024, r"to predict from 1,024 MB takes a second measured size"),
        ((1769, 3008), r"one of two sizes must be below 1,769 MB"),
        ((128, 256, 512), r"from one size or two, not from 3"),
        ((), r"from one size or two, not from 0"),
    ],
)
def test_what_cannot_be_predicted_from_is_refused(memory_mb: int | tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        predict(run_of(30, 5, reported=False), memory_mb)


def test_a_run_without_any_measured_size_is_refused() -> None:
    nothing = TuningResult("resize", "x86_64", 0.2, run_of(30, 5).invocations.head(0), (), None)
    with pytest.raises(ValueError, match="No memory size of resize was measured"):
        predict(nothing)
