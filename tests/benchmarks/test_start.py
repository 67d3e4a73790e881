"""How long a notebook waits for its local AWS."""

import time

import pandas as pd
from figures import show

from helpers import local_aws, statistics
from helpers.calibration import Calibration, time_loop_ms

STARTS = 7
LONGEST_S = 3.0


def test_is_ready_in_under_three_seconds() -> None:
    durations_s, loop_ms = [], []
    for _ in range(STARTS):
        loop_ms.append(time_loop_ms())
        began_s = time.perf_counter()
        running = local_aws.start()
        durations_s.append(time.perf_counter() - began_s)
        running.stop()
    median = statistics.median(durations_s)
    show(
        "Start of a local AWS until it answers, in s",
        pd.DataFrame(
            {"n": [STARTS], "p50": [median.value], "low": [median.low], "high": [median.high]}
        ).round(2),
        __file__,
        f"At most {LONGEST_S:g} s.",
        Calibration(tuple(loop_ms)),
    )
    assert median.value <= LONGEST_S
