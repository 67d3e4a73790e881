"""Compile the commands of a query to one SQL statement: a stage for each command."""

from dataclasses import dataclass, field

from helpers.local.services.logs_insights.aggregation import compile_stats
from helpers.local.services.logs_insights.expressions import compile_expression
from helpers.local.services.logs_insights.patterns import extraction
from helpers.local.services.logs_insights.scope import LAMBDA_FIELDS, SYSTEM_FIELDS, Needs, Scope
from helpers.local.services.logs_insights.syntax import (
    Command,
    Dedup,
    Display,
    Field,
    Fields,
    Filter,
    Item,
    Limit,
    MalformedQuery,
    Parse,
    Sort,
    Span,
    Stats,
)
from helpers.local.services.logs_insights.typed import Kind, Sql, as_boolean, as_text, sort_terms

DEFAULT_LIMIT = 10_000
MAXIMUM_LIMIT = 100_000
MAXIMUM_STATS = 2

_DEFAULT_FIELDS = ("@timestamp", "@message")


@dataclass(frozen=True)
class Plan:
    """A query as SQL over a table `events`, which holds what `needs` names.

    `names` are the names of the columns of `sql`, whose values are all text. `matched_sql` counts
    the log events that pass the filters; None when there is no filter.
    """

    names: list[str]
    sql: str
    matched_sql: str | None
    needs: Needs


def compile_query(commands: tuple[Command, ...], limit: int | None = None) -> Plan:
    """`limit` is StartQuery's parameter: it applies after the query's own. Raises MalformedQuery."""
    query = _Query()
    for command in commands:
        query.add(command)
    return query.plan(limit)


@dataclass
class _Query:
    """The stages compiled so far, and what the next command finds."""

    needs: Needs = field(default_factory=Needs)
    # SQL of the stages s1, s2, ..., of which each selects from the one before it.
    stages: list[str] = field(default_factory=list)
    scope: Scope = field(init=False)
    columns_made: int = 0
    # What to show, unless display says otherwise; `chosen` once fields or stats has named something.
    shown: dict[str, Sql] = field(default_factory=dict)
    chosen: bool = False
    displayed: dict[str, Sql] | None = None
    order: list[str] | None = None
    # Decides between rows that are equal in `order`, so that a query always answers the same.
    last_order: list[str] = field(default_factory=list)
    matched_stage: int = 0
    stats_count: int = 0
    sorted_or_limited: bool = False
    limited: bool = False
    deduplicated: bool = False

    def __post_init__(self) -> None:
        self.scope = Scope(self.needs)

    def add(self, command: Command) -> None:
        if self.deduplicated and not isinstance(command, Limit):
            raise _malformed("The only command that can follow dedup is limit.", command.span)
        match command:
            case Fields(items):
                for item in items:
                    if item.name in self.scope.defined:
                        raise _already_defined(item.name, item.span)
                self.chosen = True
                self.shown |= self._define(items)
            case Display(items):
                self.displayed = self._define(items)
            case Filter(condition):
                test = as_boolean(compile_expression(condition, self.scope))
                self._add_stage(f"SELECT * FROM {self._last} WHERE {test}")
                if not self.stats_count and not self.limited:
                    self.matched_stage = len(self.stages)
            case Parse():
                self._parse(command)
            case Stats():
                self._stats(command)
            case Sort(keys):
                values = [(compile_expression(key.expression, self.scope), key.descending) for key in keys]
                self.order = [term for value, descending in values for term in sort_terms(value, descending)]
                self.sorted_or_limited = True
            case Limit():
                self._limit(command)
            case Dedup(fields):
                self._dedup([self.scope.look_up(name) for name in fields])

    def plan(self, limit: int | None) -> Plan:
        shown = self.displayed if self.displayed is not None else self.shown
        if not self.chosen and self.displayed is None:
            shown = {name: self.needs.column(name) for name in _DEFAULT_FIELDS} | shown
        if not self.stats_count:
            shown = shown | {"@ptr": self.needs.column("@ptr")}
        if limit is not None or not self.limited:
            self._add_limit(limit or DEFAULT_LIMIT)
        columns = ", ".join(as_text(value) for value in shown.values())
        order_by = self._order_by()
        sql = f"{self._with(len(self.stages))} SELECT {columns} FROM {self._last}{order_by}"
        matched = f"{self._with(self.matched_stage)} SELECT count(*) FROM s{self.matched_stage}"
        return Plan(list(shown), sql, matched if self.matched_stage else None, self.needs)

    @property
    def _last(self) -> str:
        return f"s{len(self.stages)}" if self.stages else "events"

    def _with(self, stages: int) -> str:
        texts = self.stages[:stages]
        return "WITH " + ", ".join(f"s{index} AS ({text})" for index, text in enumerate(texts, 1))

    def _add_stage(self, sql: str) -> None:
        self.stages.append(sql)

    def _add_columns(self, values: list[Sql]) -> list[Sql]:
        """A stage with `values` as columns of their own, which is what is returned."""
        if not values:
            return []
        columns = [Sql(f"d{self.columns_made + i}", value.kind) for i, value in enumerate(values)]
        made = [f"{value.text} AS {column.text}" for value, column in zip(values, columns, strict=True)]
        self.columns_made += len(columns)
        self._add_stage(f"SELECT *, {', '.join(made)} FROM {self._last}")
        return columns

    def _order_by(self) -> str:
        if not self.stats_count:
            self.needs.columns.add("timestamp")
            terms = [*(self.order or ["timestamp DESC"]), "sequence DESC"]
        else:
            terms = [*(self.order or []), *self.last_order]
        return f" ORDER BY {', '.join(terms)}" if terms else ""

    def _check_new(self, name: str, span: Span) -> None:
        taken = (self.scope.defined, self.scope.pending, SYSTEM_FIELDS, LAMBDA_FIELDS)
        if any(name in names for names in taken):
            raise _already_defined(name, span)

    def _define(self, items: tuple[Item, ...]) -> dict[str, Sql]:
        """Name and value of each item. What is computed becomes a column; aliases can be used afterwards."""
        values: dict[str, Sql] = {}
        computed = []
        for item in items:
            if item.aliased:
                self._check_new(item.name, item.span)
            values[item.name] = compile_expression(item.expression, self.scope)
            if item.aliased or not isinstance(item.expression, Field):
                computed.append(item.name)
            if item.aliased:
                self.scope.pending.add(item.name)
        self.scope.pending.clear()
        values |= zip(computed, self._add_columns([values[name] for name in computed]), strict=True)
        self.scope.defined |= {item.name: values[item.name] for item in items if item.aliased}
        return values

    def _parse(self, command: Parse) -> None:
        source = as_text(self.scope.look_up(command.source))
        found = extraction(command)
        for name in found.names:
            self._check_new(name, command.span)
        [column] = self._add_columns([Sql(found.sql.format(source), Kind.TEXT)])
        values = {name: Sql(part.format(column.text), Kind.TEXT) for name, part in found.names.items()}
        self.scope.defined |= values
        self.shown |= values

    def _stats(self, command: Stats) -> None:
        if self.stats_count == MAXIMUM_STATS:
            raise _malformed(f"A query can have a maximum of {MAXIMUM_STATS} stats commands.", command.span)
        if self.stats_count and self.sorted_or_limited:
            raise _malformed("sort and limit must come after the second stats command.", command.span)
        for item in (*command.groups, *command.items):
            if item.aliased:
                self._check_new(item.name, item.span)
            self.scope.pending.add(item.name)
        self.scope.pending.clear()
        result = compile_stats(command, self.scope)
        groups = [f"g{index}" for index in range(len(command.groups))]
        group_by = f" GROUP BY {', '.join(groups)}" if groups else ""
        self._add_stage(f"SELECT {', '.join(result.grouped)} FROM {self._last}{group_by}")
        self._add_stage(f"SELECT {', '.join(result.selected)} FROM {self._last}")
        self.stats_count += 1
        self.scope = result.scope
        self.shown, self.chosen, self.displayed, self.order = dict(result.columns), True, None, None
        grouped_by = [value for _, value in result.columns[: len(groups)]]
        self.last_order = [term for value in grouped_by for term in sort_terms(value, descending=False)]

    def _limit(self, command: Limit) -> None:
        if not command.count.is_integer() or not 1 <= command.count <= MAXIMUM_LIMIT:
            message = f"limit takes a whole number from 1 to {MAXIMUM_LIMIT}, not {command.count:g}."
            raise _malformed(message, command.span)
        self._add_limit(int(command.count))
        self.limited = self.sorted_or_limited = True

    def _add_limit(self, count: int) -> None:
        self._add_stage(f"SELECT * FROM {self._last}{self._order_by()} LIMIT {count}")

    def _dedup(self, values: list[Sql]) -> None:
        """The first event of each combination of values, in the order of the query.

        AWS, user guide, "dedup": events that miss one of the fields are all kept.
        """
        keys = ", ".join(value.text for value in values)
        missing = " OR ".join(f"{value.text} IS NULL" for value in values)
        first = f"row_number() OVER (PARTITION BY {keys}{self._order_by()}) = 1"
        self._add_stage(f"SELECT * FROM {self._last} QUALIFY {first} OR {missing}")
        self.deduplicated = True


def _malformed(message: str, span: Span) -> MalformedQuery:
    return MalformedQuery(message, span.start, span.end)


def _already_defined(name: str, span: Span) -> MalformedQuery:
    return _malformed(
        f"Ephemeral field is already defined: {name} ([{span.start},{span.end}]). A name is given once; "
        "to choose what is shown, use display.",
        span,
    )
