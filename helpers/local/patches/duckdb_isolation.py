"""SQL reaches the files of the local AWS and nothing else: no other file, no network, no extension.

DuckDB executes the queries of Athena. It would open whatever file or URL a query names, and fetch
extensions from its maker, past the guard, which sees only what Python code does. On AWS, Athena
reads the data of its catalog in S3. DuckDB documentation, "Securing DuckDB".
"""

import tempfile
from typing import Any

import duckdb

from helpers.local import contract

_original_connect: Any = None


def install() -> None:
    global _original_connect
    _original_connect = contract.expect(duckdb, "connect")
    duckdb.connect = _connect


def _connect(*arguments: Any, **options: Any) -> duckdb.DuckDBPyConnection:
    connection: duckdb.DuckDBPyConnection = _original_connect(*arguments, **options)
    setting = connection.execute("SELECT current_setting('enable_external_access')").fetchone()
    if setting == (True,):
        # The state directory of this local AWS. It can be set only as long as all is allowed.
        connection.execute(f"SET allowed_directories = ['{tempfile.gettempdir()}']")
        connection.execute("SET enable_external_access = false")
    return connection
