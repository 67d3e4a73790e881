"""Print what a benchmark has measured, and how to measure it again."""

from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parent.parent.parent


def show(title: str, table: pd.DataFrame, benchmark: str, *notes: object) -> None:
    """A small table, its notes, and the command that measured it. `benchmark` is the test's `__file__`."""
    command = f"make bench, or .venv/bin/pytest -s {Path(benchmark).relative_to(ROOT)}"
    lines = [f"\n{title}", table.to_string(), *(str(note) for note in notes), f"Measured by: {command}"]
    print("\n  ".join("\n".join(lines).splitlines()), flush=True)
