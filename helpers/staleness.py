"""How long readers go on returning an old value after it has changed."""

import math
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Generic, TypeVar

import pandas as pd
from tqdm import tqdm

from helpers.progress import DELAY_S
from helpers.waiting import NotObserved

Value = TypeVar("Value")


class Watch(Generic[Value]):
    """Readers that are asked in the background until some of them return a new value. See `start`."""

    def __init__(
        self,
        readers: Mapping[str, Callable[[], Value]],
        is_new: Callable[[Value], bool],
        until: Collection[str],
        timeout_s: float,
        interval_s: float,
    ) -> None:
        unknown = set(until) - set(readers)
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} is not among the readers {', '.join(readers)}.")
        self._readers = readers
        self._is_new = is_new
        self._until = until
        self._timeout_s = timeout_s
        self._interval_s = interval_s
        self._seen_s: dict[str, float] = {}
        self._error: Exception | None = None
        # A daemon, so that a notebook that fails meanwhile can end.
        self._thread = threading.Thread(target=self._run, name="staleness", daemon=True)
        self._thread.start()

    def result(self) -> pd.Series:
        """Wait until the watch has ended, and return seconds by reader; missing for those that were old then.

        Raises NotObserved when a reader of `until` had not seen the new value in time, and any error that a
        reader raised.
        """
        with tqdm(
            desc="Watching",
            bar_format="{desc} {elapsed}",
            delay=DELAY_S,
            leave=False,
            file=sys.stderr,
            dynamic_ncols=True,
        ) as bar:
            while self._thread.is_alive():
                self._thread.join(timeout=0.5)
                bar.update()
        if self._error is not None:
            raise self._error
        return pd.Series(
            {name: self._seen_s.get(name, math.nan) for name in self._readers}, name="seconds", dtype=float
        )

    def _run(self) -> None:
        try:
            self._ask_until_new()
        except Exception as error:
            self._error = error

    def _ask_until_new(self) -> None:
        began = time.monotonic()
        while True:
            for name, read in self._readers.items():
                if name not in self._seen_s and self._is_new(read()):
                    self._seen_s[name] = time.monotonic() - began
            missing = [name for name in self._until if name not in self._seen_s]
            if not missing:
                return
            if time.monotonic() - began >= self._timeout_s:
                raise NotObserved(
                    f"Waited {self._timeout_s:g} s for the new value from {', '.join(missing)}; it was seen "
                    f"from {', '.join(self._seen_s) or 'no reader'}."
                )
            time.sleep(self._interval_s)


def start(
    readers: Mapping[str, Callable[[], Value]],
    is_new: Callable[[Value], bool],
    until: Collection[str],
    timeout_s: float = 60.0,
    interval_s: float = 0.25,
) -> Watch[Value]:
    """Ask readers in the background, from right after a change until those of `until` return the new value.

    Whoever still returns the old value is asked once an `interval_s`. The seconds of the result are those at
    which the answer with the new value arrived, so they are at most one interval and one round of reads too
    many. Raises ValueError when `until` names a reader that does not exist.
    """
    return Watch(readers, is_new, until, timeout_s, interval_s)
