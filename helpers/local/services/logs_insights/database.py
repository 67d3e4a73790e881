"""DuckDB, in memory: it reads no file and loads no extension."""

import functools
from pathlib import Path

import duckdb

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    # Columns of Python objects hold text or None: nothing to find out by looking at a sample.
    "pandas_analyze_sample": "0",
}


def connect() -> duckdb.DuckDBPyConnection:
    """A connection of its own to a database that has the macros of `macros.sql`, and no table."""
    return _database().cursor()


@functools.cache
def _database() -> duckdb.DuckDBPyConnection:
    database = duckdb.connect(":memory:", config=_SETTINGS)
    database.execute(Path(__file__).with_name("macros.sql").read_text(encoding="utf-8"))
    return database
