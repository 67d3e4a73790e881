"""Run a query over log events."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from helpers.local.services.logs_insights import events
from helpers.local.services.logs_insights.compiler import Plan, compile_query
from helpers.local.services.logs_insights.database import connect
from helpers.local.services.logs_insights.events import LAMBDA_COLUMNS, LogTable, StreamEvents
from helpers.local.services.logs_insights.parser import parse
from helpers.local.services.logs_insights.typed import quote_literal

# A row is a list of (field, value); a field that is missing in an event is missing in its row.
Row = list[tuple[str, str]]


@dataclass(frozen=True)
class QueryResult:
    """`records_matched` counts log events that passed the filters, before any aggregation."""

    rows: list[Row]
    records_matched: int
    records_scanned: int
    bytes_scanned: int


class Execution:
    """One run of a query, which another thread can end."""

    def __init__(self) -> None:
        self._connection = connect()
        self._cancelled = False

    def cancel(self) -> None:
        """Make `run` raise duckdb.InterruptException soon."""
        self._cancelled = True
        self._connection.interrupt()

    def run(self, plan: Plan, streams: Sequence[StreamEvents]) -> QueryResult:
        """Raises duckdb.Error when DuckDB cannot do it, for example for lack of memory."""
        with self._connection as connection:
            tables = events.load(streams, plan.needs, self._check)
            _create_view(connection, tables)
            self._check()
            rows = connection.execute(plan.sql).fetchall()
            scanned = matched = sum(map(len, tables))
            if plan.matched_sql is not None:
                [[matched]] = connection.execute(plan.matched_sql).fetchall()
        named = [
            [(name, value) for name, value in zip(plan.names, row, strict=True) if value is not None]
            for row in rows
        ]
        return QueryResult(named, matched, scanned, sum(table.size_bytes for table in tables))

    def _check(self) -> None:
        if self._cancelled:
            raise duckdb.InterruptException("the query was stopped")


def _create_view(connection: duckdb.DuckDBPyConnection, tables: list[LogTable]) -> None:
    """The table `events` of a plan's SQL. What is the same for a whole log group is a constant.

    DuckDB computes once what depends on constants only, such as `parse @log /.../`.
    """
    selects = []
    for index, table in enumerate(tables):
        connection.register(f"log_{index}", table.columns)
        same = [f"{quote_literal(table.log)} AS log"]
        if not table.from_lambda:
            same += [f"NULL AS {name}" for name in sorted(LAMBDA_COLUMNS)]
        selects.append(f"SELECT *, {', '.join(same)} FROM log_{index}")
    connection.execute(f"CREATE TEMP VIEW events AS {' UNION ALL BY NAME '.join(selects)}")


def prepare(query: str, limit: int | None = None) -> Plan:
    """Read and compile a query. Raises MalformedQuery."""
    return compile_query(parse(query), limit)


def run_query(query: str, streams: Sequence[StreamEvents], limit: int | None = None) -> QueryResult:
    """Read, compile and run a query over `streams`. Raises MalformedQuery and duckdb.Error."""
    return Execution().run(prepare(query, limit), streams)
