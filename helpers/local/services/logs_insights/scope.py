"""What a name in a query stands for, and which columns of the logs that takes.

AWS: CloudWatch Logs user guide, "Supported logs and discovered fields".
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from helpers.local.services.logs_insights.lambda_lines import TYPES
from helpers.local.services.logs_insights.syntax import (
    Call,
    Expression,
    Field,
    MalformedQuery,
    Number,
    String,
)
from helpers.local.services.logs_insights.typed import MISSING, Kind, Sql


@dataclass(frozen=True)
class LogField:
    """A field of log events: its value, and the columns of events that it is made from."""

    value: Sql
    columns: tuple[str, ...]


def _column(name: str, kind: Kind) -> LogField:
    return LogField(Sql(name, kind), (name,))


SYSTEM_FIELDS = {
    "@timestamp": _column("timestamp", Kind.TIMESTAMP),
    "@ingestionTime": _column("ingestion_time", Kind.TIMESTAMP),
    "@message": _column("message", Kind.TEXT),
    "@logStream": _column("log_stream", Kind.TEXT),
    "@log": _column("log", Kind.TEXT),
    "@ptr": LogField(
        Sql("pointer_of(log, log_stream, timestamp, message)", Kind.TEXT),
        ("log", "log_stream", "timestamp", "message"),
    ),
}

# The identifier of a request in a platform line, or in a line as the managed runtimes' loggers write it.
_REQUEST_ID = (
    r"^(?:(?:START|END|REPORT) RequestId: |(?:\[\w+\]\t)?\d{4}-\d\d-\d\dT[\d:.]+Z[\t ])([0-9a-fA-F-]{36})"
)
_REPORT = TYPES.index("REPORT")


def _in_line(pattern: str, condition: str, *columns: str) -> LogField:
    value = f"extracted(CASE WHEN {condition} THEN message END, '{pattern}')"
    return LogField(Sql(value, Kind.TEXT), ("message", *columns))


_TYPE = " ".join(f"WHEN {index} THEN '{name}'" for index, name in enumerate(TYPES) if name)

# Fields discovered in Lambda's logs. The columns that they are made from are NULL in other logs.
LAMBDA_FIELDS = {
    "@type": LogField(Sql(f"CASE line_type {_TYPE} END", Kind.TEXT), ("line_type",)),
    "@requestId": _in_line(_REQUEST_ID, "line_type IS NOT NULL", "line_type"),
    "@duration": _column("duration", Kind.NUMBER),
    "@billedDuration": _column("billed_duration", Kind.NUMBER),
    "@initDuration": _column("init_duration", Kind.NUMBER),
    "@memorySize": _column("memory_size", Kind.NUMBER),
    "@maxMemoryUsed": _column("max_memory_used", Kind.NUMBER),
    "@xrayTraceId": _in_line(r"XRAY TraceId: (\S+)", f"line_type = {_REPORT}", "line_type"),
    "@xraySegmentId": _in_line(r"\tSegmentId: (\S+)\tSampled: ", f"line_type = {_REPORT}", "line_type"),
}


@dataclass
class Needs:
    """What a query reads of the logs: only that is loaded.

    `columns` are columns of events, `json_fields` names of fields in JSON messages, each loaded
    into a column `json_<index>`. Every table has a column `sequence`: the order of arrival.
    """

    columns: set[str] = field(default_factory=set)
    json_fields: list[str] = field(default_factory=list)

    def column(self, name: str) -> Sql:
        """The value of a field of the log events themselves. Unknown `@` names are missing fields."""
        known = SYSTEM_FIELDS.get(name) or LAMBDA_FIELDS.get(name)
        if known is not None:
            self.columns.update(known.columns)
            return known.value
        if name.startswith("@") and not name.startswith("@@"):
            return MISSING
        if name not in self.json_fields:
            self.json_fields.append(name)
        return Sql(f"json_{self.json_fields.index(name)}", Kind.TEXT)


@dataclass
class Scope:
    """The names that can be used at one point of a query.

    `defined` are the names that the query has defined so far. `results` are expressions that are
    columns already, so that `sort count(*)` after `stats count(*)` finds its column. `needs` is
    None where the fields of the log events are out of reach: after `stats`. `aggregate` compiles
    an aggregation, where one can stand. `pending` are names that the command being compiled
    defines: they can be used from the next command on.
    """

    needs: Needs | None
    defined: dict[str, Sql] = field(default_factory=dict)
    results: dict[Expression, Sql] = field(default_factory=dict)
    aggregate: Callable[[Call], Sql] | None = None
    pending: set[str] = field(default_factory=set)

    def define(self, name: str, expression: Expression, value: Sql) -> None:
        self.defined[name] = value
        if not isinstance(expression, Number | String):
            self.results[expression] = value

    def look_up(self, name: Field) -> Sql:
        """Raises MalformedQuery for a name that stats did not pass on."""
        if name.name in self.defined:
            return self.defined[name.name]
        if name.name in self.pending:
            raise MalformedQuery(
                f"{name.name} is defined in this very command: use it in another one, after a |.",
                name.span.start,
                name.span.end,
            )
        if self.needs is None:
            raise MalformedQuery(
                f"Unknown symbols found in or after stats: {name.name}. After stats, only its results and "
                "the fields that it groups by can be used.",
                name.span.start,
                name.span.end,
            )
        return self.needs.column(name.name)
