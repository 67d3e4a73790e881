"""A progress bar for steps that take more than a moment."""

import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

DELAY_S = 2.0

Step = TypeVar("Step")


def progress(steps: Sequence[Step], description: str) -> Iterator[Step]:
    """Yield the steps, with a bar on stderr that appears after two seconds and is gone when done."""
    yield from tqdm(
        steps,
        desc=description,
        delay=DELAY_S,
        mininterval=0.5,
        leave=False,
        file=sys.stderr,
        dynamic_ncols=True,
    )
