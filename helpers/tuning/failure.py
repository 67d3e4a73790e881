"""Why memory sizes drop out of a tuning run."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from helpers.tuning.best import listed

PREPARATION = 0
PART_OF_PAYLOAD_SHOWN = 200

_HINTS = {
    "AccessDeniedException": (
        "Each size is invoked by an alias, so the caller needs lambda:InvokeFunction on the function's ARN "
        "followed by :*; a permission for other ways to invoke, or for the bare ARN, is not enough."
    ),
    "TooManyRequestsException": (
        "Lambda kept throttling. Look at the function's reserved concurrency (0 stops it) and at what else "
        "uses the account's, or leave out parallel_invocation."
    ),
}


@dataclass(frozen=True)
class Failure:
    """An error of the invocations at a memory size.

    `kind` is the errorType or error code; `round` and `reason` are those of the first of `count` errors of
    that kind, round 0 being the preparation. `payload` is the event in JSON, where it may be shown.
    """

    memory_mb: int
    round: int
    kind: str
    reason: str
    count: int = 1
    payload: str | None = None

    def __str__(self) -> str:
        return _sentence(self, (self.memory_mb,))


@dataclass(frozen=True)
class Elimination:
    """A size that adaptive tuning has stopped invoking after a round, and why."""

    memory_mb: int
    round: int
    reason: str

    def __str__(self) -> str:
        return f"{self.memory_mb:,} MB eliminated after round {self.round}: {self.reason}."


def counted(failures: Iterable[Failure]) -> tuple[Failure, ...]:
    """One failure a memory size and kind, in the order in which they came first."""
    first: dict[tuple[int, str], Failure] = {}
    for failure in failures:
        key = (failure.memory_mb, failure.kind)
        before = first.get(key)
        first[key] = replace(before, count=before.count + failure.count) if before else failure
    return tuple(first.values())


def sentences(failures: Iterable[Failure]) -> Iterator[str]:
    """What failed, one sentence for all sizes to which the same happened, and what to do about it."""
    sizes: dict[Failure, list[int]] = {}
    hints: dict[str, None] = {}
    for failure in failures:
        sizes.setdefault(replace(failure, memory_mb=0), []).append(failure.memory_mb)
        if failure.kind in _HINTS and failure.round != PREPARATION:
            hints[_HINTS[failure.kind]] = None
    for failure, sizes_mb in sizes.items():
        yield _sentence(failure, sorted(sizes_mb))
    yield from hints


def _sentence(failure: Failure, sizes_mb: Iterable[int]) -> str:
    when = f"in round {failure.round}" if failure.round != PREPARATION else "before the first round"
    text = f"{listed(tuple(sizes_mb))} left out {when}: {failure.kind}: {failure.reason}"
    if failure.count > 1:
        text += f" ({failure.count} times)"
    if failure.payload is not None:
        shown = failure.payload[:PART_OF_PAYLOAD_SHOWN]
        text += f" with payload {shown}{'...' if len(failure.payload) > len(shown) else ''}"
    return text
