"""The inputs of a power tuning run, checked before anything is created."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, get_args

from helpers.tuning.best import Strategy

POWER_VALUES = (128, 256, 512, 1024, 1536, 3008)
ALL = "ALL"
ALL_POWER_VALUES = tuple(range(128, 3008 + 1, 64))
SMALLEST_MB, LARGEST_MB = 128, 10_240
SMALLEST_NUM = 5
LARGEST_DISCARD = 0.4
DISCARD, DISCARD_OF_COLD_STARTS = 0.2, 0.0

_FUNCTION_ARN = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+(:[$\w-]+)?")
_S3_URI = re.compile(r"s3://[^/]+/.+")
# API reference of Lambda, "CreateAlias": letters, digits, hyphens and underscores, not digits only.
_ALIAS = re.compile(r"(?!\d+$)[\w-]{1,128}", re.ASCII)
_TEMPORARY_ALIAS = re.compile(r"RAM\d+(-\d+)?|power-tuning-.*")


@dataclass(frozen=True)
class TuningInput:
    """What `power_tuning.run` was asked for; its docstring explains every input.

    Raises ValueError for an input out of range and for inputs that contradict each other.
    """

    power_values: Sequence[int] | str
    num: int
    payload: Any
    payload_s3: str | None
    parallel_invocation: bool
    strategy: Strategy
    balanced_weight: float
    auto_optimize: bool
    auto_optimize_alias: str | None
    dry_run: bool
    pre_processor_arn: str | None
    post_processor_arn: str | None
    discard_top_bottom: float | None
    sleep_between_runs_ms: float
    disable_payload_logs: bool
    include_output_results: bool
    only_cold_starts: bool
    allowed_exceptions: Sequence[str]
    adaptive: bool
    tolerance: float

    def __post_init__(self) -> None:
        self._check_sizes()
        self._check_invocations()
        self._check_choice()
        self._check_texts()

    @property
    def sizes_mb(self) -> tuple[int, ...]:
        """The memory sizes to invoke, in the order given; of a dry run the first one only."""
        sizes = ALL_POWER_VALUES if isinstance(self.power_values, str) else tuple(map(int, self.power_values))
        return sizes[:1] if self.dry_run else sizes

    @property
    def discarded_share(self) -> float:
        """The share of samples to drop at each end of a size's durations."""
        if self.discard_top_bottom is not None:
            return self.discard_top_bottom
        return DISCARD_OF_COLD_STARTS if self.only_cold_starts else DISCARD

    def _check_sizes(self) -> None:
        sizes = self.power_values
        if isinstance(sizes, str) or not isinstance(sizes, Collection):
            _require(sizes == ALL, f'power_values are memory sizes in MB or "{ALL}", not {sizes!r}.')
            return
        _require(
            len(sizes) > 0 and len(set(sizes)) == len(sizes),
            f"power_values are different memory sizes in MB, not {list(sizes)}.",
        )
        for memory_mb in sizes:
            _require(
                isinstance(memory_mb, Integral) and SMALLEST_MB <= memory_mb <= LARGEST_MB,
                f"A memory size is a whole number of {SMALLEST_MB} to {LARGEST_MB:,} MB, not {memory_mb!r}.",
            )

    def _check_invocations(self) -> None:
        _require(
            isinstance(self.num, Integral) and self.num >= SMALLEST_NUM,
            f"num is the invocations a memory size, at least {SMALLEST_NUM}, not {self.num!r}.",
        )
        _require(
            self.sleep_between_runs_ms >= 0,
            f"sleep_between_runs_ms is a time in ms, 0 or more, not {self.sleep_between_runs_ms}.",
        )
        _require(
            not (self.parallel_invocation and self.sleep_between_runs_ms),
            "Between invocations that run all at once there is no time to sleep: leave out "
            "sleep_between_runs_ms or parallel_invocation.",
        )
        _require(
            not (self.parallel_invocation and self.adaptive),
            "adaptive decides after each round whether to go on, and parallel_invocation makes all rounds at "
            "once: leave out one of them.",
        )

    def _check_choice(self) -> None:
        _require(
            self.strategy in get_args(Strategy),
            f"strategy is one of {', '.join(get_args(Strategy))}, not {self.strategy!r}.",
        )
        _require(
            0 <= self.balanced_weight <= 1,
            f"balanced_weight is 0 (only speed counts) to 1 (only cost counts), not {self.balanced_weight}.",
        )
        _require(
            0 <= self.discarded_share <= LARGEST_DISCARD,
            f"discard_top_bottom is the share to drop at each end, 0 to {LARGEST_DISCARD}, "
            f"not {self.discard_top_bottom}.",
        )
        _require(
            0 < self.tolerance < 1,
            f"tolerance is the share by which sizes may differ and still be equally good, between 0 and 1, "
            f"not {self.tolerance}.",
        )

    def _check_texts(self) -> None:
        for name in ("pre_processor_arn", "post_processor_arn"):
            arn = getattr(self, name)
            _require(
                arn is None or _FUNCTION_ARN.fullmatch(arn) is not None,
                f"{name} is the ARN of a Lambda function, arn:aws:lambda:REGION:ACCOUNT:function:NAME, "
                f"not {arn!r}.",
            )
        _require(
            self.payload_s3 is None or _S3_URI.fullmatch(self.payload_s3) is not None,
            f"payload_s3 is s3://BUCKET/KEY, not {self.payload_s3!r}.",
        )
        _require(
            self.payload is None or self.payload_s3 is None,
            "There are two payloads, payload and payload_s3: leave out one of them.",
        )
        allowed = self.allowed_exceptions
        _require(
            isinstance(allowed, Collection) and not isinstance(allowed, str),
            f'allowed_exceptions is a list of error types, such as ["ValueError"], not {allowed!r}.',
        )
        self._check_alias()

    def _check_alias(self) -> None:
        alias = self.auto_optimize_alias
        _require(
            alias is None or self.auto_optimize,
            f"Without auto_optimize=True the alias {alias!r} would not be set: add it, or leave out "
            "auto_optimize_alias.",
        )
        _require(
            alias is None or _ALIAS.fullmatch(alias) is not None,
            "auto_optimize_alias has 1 to 128 letters, digits, hyphens and underscores, and not digits only; "
            f"{alias!r} is no such name.",
        )
        _require(
            alias is None or _TEMPORARY_ALIAS.fullmatch(alias) is None,
            f"Every run makes and removes aliases such as {alias!r}: choose another auto_optimize_alias.",
        )


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
