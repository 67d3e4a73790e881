"""Measurements of AWS that others published, to plot beside ours; data/README.md names the sources."""

from pathlib import Path

import pandas as pd

DATA_DIRECTORY = Path(__file__).parent.parent / "data"


def cold_starts() -> pd.DataFrame:
    """Cold starts on AWS by runtime, architecture and memory_mb; durations in ms."""
    return pd.read_csv(DATA_DIRECTORY / "cold_starts_aws.csv")


def init_percentiles(runtime: str, memory_mb: int, architecture: str = "x86_64") -> dict[float, float]:
    """Init Duration on AWS in ms by percentile (50, 90, 99) of a hello-world function.

    Raises LookupError for a combination that was not measured, and says which ones were.
    """
    table = cold_starts()
    rows = table[
        (table["runtime"] == runtime)
        & (table["memory_mb"] == memory_mb)
        & (table["architecture"] == architecture)
    ]
    if rows.empty:
        raise LookupError(
            f"No published cold starts of {runtime} with {memory_mb} MB on {architecture}: there are "
            f"{_listed(table['runtime'])}, each with {_listed(table['memory_mb'])} MB on "
            f"{_listed(table['architecture'])}."
        )
    row = rows.iloc[0]
    return {50: float(row["init_p50_ms"]), 90: float(row["init_p90_ms"]), 99: float(row["init_p99_ms"])}


def custom_java_runtime(measure: str) -> dict[float, float]:
    """Published percentiles (50, 90, 99) in ms of the post "Build a custom Java runtime for AWS Lambda".

    `measure` is cold_total (Duration plus Init Duration of cold starts), cold_init (their Init Duration, of
    which only the median was published) or warm_duration. 512 MB, with a client of the AWS SDK.

    Raises LookupError for another measure.
    """
    table = pd.read_csv(DATA_DIRECTORY / "custom_java_runtime_published.csv").set_index("measure")
    if measure not in table.index:
        raise LookupError(f"Nothing was published of {measure!r}: there are {', '.join(table.index)}.")
    percentiles = table.loc[measure, ["p50_ms", "p90_ms", "p99_ms"]].dropna()
    return {float(str(name)[1:3]): float(value) for name, value in percentiles.to_dict().items()}


def cpu_shares() -> pd.Series:
    """CPU that a busy function received on AWS by memory_mb, relative to 1,769 MB."""
    cpu_ms = pd.read_csv(DATA_DIRECTORY / "cpu_share_published.csv").set_index("memory_mb")["cpu_ms_in_5s"]
    return cpu_ms / cpu_ms[1769]


def power_tuning() -> pd.DataFrame:
    """Duration in ms and cost in USD of a CPU-bound function on AWS by memory_mb, under 100 ms billing."""
    return pd.read_csv(DATA_DIRECTORY / "power_tuning_published.csv").set_index("memory_mb")


def _listed(column: pd.Series) -> str:
    return ", ".join(str(value) for value in sorted(set(column)))
