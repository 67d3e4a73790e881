"""The rounds of a tuning run: which size is invoked when, which ones stay in, and what came of it."""

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pandas as pd
from botocore.exceptions import ClientError, WaiterError

from helpers.calibration import time_loop_ms
from helpers.progress import progress
from helpers.tuning import elimination
from helpers.tuning.failure import PREPARATION, Elimination, Failure
from helpers.tuning.input import SMALLEST_NUM, TuningInput
from helpers.tuning.invocations import Invoker, Outcome
from helpers.tuning.versions import TemporarySizes
from helpers.tuning_result import INVOCATION_COLUMNS

THROTTLED = "TooManyRequestsException"


class Rounds:
    """Measures the memory sizes of one run.

    `events` are the payloads of the rounds, one each; `order` draws the order of the sizes. What was found
    is in `invocations()`, `failures`, `allowed`, `eliminated`, `stop_reason` and `loop_ms` (the calibration
    loops).
    """

    def __init__(
        self,
        tuning_input: TuningInput,
        sizes: TemporarySizes,
        invoker: Invoker,
        events: Sequence[Any],
        order: random.Random,
        calibrate: bool,
    ) -> None:
        self.failures: list[Failure] = []
        self.allowed: list[Failure] = []
        self.eliminated: list[Elimination] = []
        self.stop_reason: str | None = None
        self.loop_ms: list[float] = []
        self._input = tuning_input
        self._sizes = sizes
        self._invoker = invoker
        self._events = events
        self._order = order
        self._calibrate = calibrate
        self._remaining_mb = list(tuning_input.sizes_mb)
        self._rows: list[dict[str, Any]] = []

    def run(self, title: str) -> None:
        """Every round of every size; `title` stands beside the progress bar. Raises ProcessorFailed."""
        if not self._input.only_cold_starts:
            for memory_mb in self._input.sizes_mb:
                self._publish(memory_mb, PREPARATION)
        if self._input.parallel_invocation:
            for memory_mb in progress(self._shuffled(), title):
                self._time_loop()
                if memory_mb in self._remaining_mb:
                    self._invoke_all_at_once(memory_mb)
            return
        for round_number in progress(range(1, len(self._events) + 1), title):
            self._time_loop()
            for memory_mb in self._shuffled():
                if memory_mb in self._remaining_mb:
                    self._invoke(memory_mb, round_number)
                    time.sleep(self._input.sleep_between_runs_ms / 1000)
            if not self._goes_on(round_number):
                return

    def invocations(self) -> pd.DataFrame:
        """One row an invocation that Lambda has reported, sizes that failed included."""
        return pd.DataFrame(self._rows, columns=list(INVOCATION_COLUMNS))

    def _shuffled(self) -> list[int]:
        return self._order.sample(self._remaining_mb, len(self._remaining_mb))

    def _time_loop(self) -> None:
        if self._calibrate:
            self.loop_ms.append(time_loop_ms())

    def _invoke(self, memory_mb: int, round_number: int) -> None:
        if self._input.only_cold_starts and not self._publish(memory_mb, round_number):
            return
        self._record(self._outcome(memory_mb, round_number))
        if self._input.only_cold_starts:
            self._sizes.remove(self._alias(memory_mb, round_number))

    def _invoke_all_at_once(self, memory_mb: int) -> None:
        rounds = range(1, len(self._events) + 1)
        if self._input.only_cold_starts and not all(self._publish(memory_mb, number) for number in rounds):
            return
        with ThreadPoolExecutor(len(rounds)) as threads:
            outcomes = list(threads.map(lambda number: self._outcome(memory_mb, number), rounds))
        for outcome in outcomes:
            self._record(outcome)

    def _outcome(self, memory_mb: int, round_number: int) -> Outcome:
        alias, event = self._alias(memory_mb, round_number), self._events[round_number - 1]
        return self._invoker.invoke(memory_mb, round_number, alias, event)

    def _alias(self, memory_mb: int, round_number: int) -> str:
        return alias_of(memory_mb, round_number if self._input.only_cold_starts else None)

    def _publish(self, memory_mb: int, round_number: int) -> bool:
        """Whether there is now a version of that size; AWS may refuse it, as an account may be limited."""
        try:
            self._sizes.add(memory_mb, self._alias(memory_mb, round_number))
        except ClientError as error:
            code, reason = error.response["Error"]["Code"], error.response["Error"]["Message"]
            self._leave_out(Failure(memory_mb, round_number, code, reason))
        except WaiterError as error:
            self._leave_out(Failure(memory_mb, round_number, "WaiterError", str(error)))
        return memory_mb in self._remaining_mb

    def _record(self, outcome: Outcome) -> None:
        if outcome.row is not None:
            self._rows.append(outcome.row)
        if outcome.error is None:
            return
        if outcome.allowed:
            self.allowed.append(outcome.error)
            return
        self._leave_out(outcome.error)
        if outcome.error.kind == THROTTLED and not self._rows:
            # All sizes share the function's concurrency: when none has got through, none of the others will.
            for memory_mb in list(self._remaining_mb):
                self._leave_out(replace(outcome.error, memory_mb=memory_mb))

    def _leave_out(self, failure: Failure) -> None:
        self.failures.append(failure)
        if failure.memory_mb in self._remaining_mb:
            self._remaining_mb.remove(failure.memory_mb)

    def _goes_on(self, round_number: int) -> bool:
        """Whether another round would tell more: adaptive tuning has an opinion on that."""
        if not self._remaining_mb:
            return False
        # A size that is soon alone is measured as well, for its figures.
        if not self._input.adaptive or self._input.dry_run or round_number < SMALLEST_NUM:
            return True
        invocations = self.invocations()
        failed_mb = [failure.memory_mb for failure in self.failures]
        decision = elimination.decide(
            invocations[~invocations["memory_mb"].isin(failed_mb)],
            tuple(self._remaining_mb),
            self._input.strategy,
            self._input.balanced_weight,
            self._input.tolerance,
            self._input.num,
        )
        for memory_mb, reason in decision.dropped.items():
            self.eliminated.append(Elimination(memory_mb, round_number, reason))
        self._remaining_mb = [size for size in self._remaining_mb if size in decision.remaining]
        if decision.stop:
            self.stop_reason = f"Stopped after round {round_number}: {decision.reason}"
        return not decision.stop


def alias_of(memory_mb: int, round_number: int | None) -> str:
    """The alias of a size, or of the one cold start of it in a round, as AWS Lambda Power Tuning names it."""
    return f"RAM{memory_mb}" if round_number is None else f"RAM{memory_mb}-{round_number - 1}"
