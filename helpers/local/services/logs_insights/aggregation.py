"""Compile `stats`: aggregations over groups of log events.

AWS: CloudWatch Logs user guide, "stats", "Functions to use with stats".

Percentiles. AWS defines `pct(@duration, 95)` as "the @duration value at which 95 percent of the
values of @duration are lower than this value" and says nothing about values between two
observations, nor about precision. Results published from large logs (aws-samples,
serverless-dotnet-demo, load-test-report-*.txt) lie on a grid of powers of 1.016, so AWS's own are
approximations within about 0.8 %. Here percentiles are exact, and linear
between the two closest observations: the percentile p of n sorted values stands at position
(n - 1) * p / 100. That is the default of `numpy.percentile`, method "linear" (Hyndman and Fan,
type 7). `median(x)` is `pct(x, 50)`.

The standard deviation is the population's (`numpy.std`); AWS does not say which. `count_distinct`
is exact, where AWS's is "just an approximation" for fields of very high cardinality.
"""

from dataclasses import dataclass, field

from helpers.local.services.logs_insights.expressions import compile_expression
from helpers.local.services.logs_insights.scope import Scope
from helpers.local.services.logs_insights.syntax import (
    Call,
    Expression,
    Field,
    Item,
    MalformedQuery,
    Number,
    Star,
    Stats,
)
from helpers.local.services.logs_insights.typed import Kind, Sql, as_number, as_text

_OF_NUMBERS = {"avg": "avg({0})", "sum": "sum({0})", "stddev": "stddev_pop({0})"}
_OF_EVENTS = {"earliest": "arg_min", "latest": "arg_max"}
_BY_SIZE = {"min": ("min", "arg_min"), "max": ("max", "arg_max")}
_BY_SORT_ORDER = {"sortsfirst": "arg_min", "sortslast": "arg_max"}


@dataclass(frozen=True)
class Aggregation:
    """A stats command as two SQL stages, and what can be used after it.

    `grouped` selects g0, g1, ... (what to group by) and the aggregations. `selected` selects from
    that r0, r1, ..., the results: those to group by first, each with its name in `columns`.
    """

    grouped: list[str]
    selected: list[str]
    columns: list[tuple[str, Sql]]
    scope: Scope


def compile_stats(command: Stats, scope: Scope) -> Aggregation:
    """Raises MalformedQuery."""
    aggregates = _Aggregates(scope)
    # An expression over aggregations sees what is grouped by, and the results before it.
    inside = Scope(needs=None, aggregate=aggregates.compile)
    after = Scope(needs=None)
    grouped: list[str] = []
    selected: list[str] = []
    columns: list[tuple[str, Sql]] = []

    def add(item: Item, value: Sql) -> None:
        result = Sql(f"r{len(columns)}", value.kind)
        selected.append(f"{value.text} AS {result.text}")
        columns.append((item.name, result))
        inside.define(item.name, item.expression, value)
        after.define(item.name, item.expression, result)

    for index, item in enumerate(command.groups):
        value = compile_expression(item.expression, scope)
        grouped.append(f"{value.text} AS g{index}")
        add(item, Sql(f"g{index}", value.kind))
    for item in command.items:
        add(item, compile_expression(item.expression, inside))
    aggregated = aggregates.select_list()
    if not aggregated:
        message = "stats needs an aggregation such as count(*)"
        raise MalformedQuery(message, command.span.start, command.span.end)
    return Aggregation(grouped + aggregated, selected, columns, after)


@dataclass
class _Aggregates:
    """The aggregations of one stats command over the fields of `scope`, each computed once."""

    scope: Scope
    columns: list[str] = field(default_factory=list)
    percentiles: dict[str, list[float]] = field(default_factory=dict)

    def compile(self, call: Call) -> Sql:
        name, arguments = call.function, call.arguments
        if name == "count" and (not arguments or isinstance(arguments[0], Star)):
            return self._column("CAST(count(*) AS DOUBLE)", Kind.NUMBER)
        if len(arguments) != (2 if name == "pct" else 1):
            example = "pct(@duration, 95)" if name == "pct" else f"{name}(@duration)"
            raise MalformedQuery(
                f"{name}() does not take {len(arguments)} arguments: write it as in {example}",
                call.span.start,
                call.span.end,
            )
        value = compile_expression(arguments[0], self.scope)
        if name == "count":
            return self._column(f"CAST(count({value.text}) AS DOUBLE)", Kind.NUMBER)
        if name == "count_distinct":
            return self._column(f"CAST(count(DISTINCT {value.text}) AS DOUBLE)", Kind.NUMBER)
        if name == "pct":
            return self._percentile(value, _percent(arguments[1]))
        if name == "median":
            return self._percentile(value, 50)
        if name in _OF_NUMBERS:
            return self._column(_OF_NUMBERS[name].format(as_number(value)), Kind.NUMBER)
        if name in _OF_EVENTS:
            return self._of_event(_OF_EVENTS[name], value, call)
        if name in _BY_SIZE:
            return self._by_size(*_BY_SIZE[name], value)
        return self._by_sort_order(_BY_SORT_ORDER[name], value)

    def select_list(self) -> list[str]:
        selected = [f"{sql} AS a{index}" for index, sql in enumerate(self.columns)]
        for index, (values, percents) in enumerate(self.percentiles.items()):
            fractions = ", ".join(repr(percent / 100) for percent in percents)
            selected.append(f"quantile_cont({values}, [{fractions}]) AS p{index}")
        return selected

    def _column(self, sql: str, kind: Kind) -> Sql:
        if sql not in self.columns:
            self.columns.append(sql)
        return Sql(f"a{self.columns.index(sql)}", kind)

    def _percentile(self, value: Sql, percent: float) -> Sql:
        """All percentiles of the same values are taken together: one pass instead of one for each."""
        values = as_number(value)
        percents = self.percentiles.setdefault(values, [])
        if percent not in percents:
            percents.append(percent)
        position = percents.index(percent) + 1
        return Sql(f"p{list(self.percentiles).index(values)}[{position}]", Kind.NUMBER)

    def _of_event(self, function: str, value: Sql, call: Call) -> Sql:
        """Of the event with the earliest or latest timestamp that has the field."""
        time = self.scope.look_up(Field("@timestamp", call.span))
        # A timestamp comes back as milliseconds since 1970, as a number.
        plain = Sql(as_number(value), Kind.NUMBER) if value.kind is Kind.TIMESTAMP else value
        return self._column(f"{function}({plain.text}, ({time.text}, sequence))", plain.kind)

    def _by_size(self, function: str, by: str, value: Sql) -> Sql:
        if value.kind is not Kind.TEXT:
            return self._column(f"{function}({as_number(value)})", Kind.NUMBER)
        # Of text that spells numbers the least or greatest number, else the first or last text.
        number = as_number(value)
        return self._column(f"coalesce({by}({value.text}, {number}), {function}({value.text}))", Kind.TEXT)

    def _by_sort_order(self, function: str, value: Sql) -> Sql:
        value = Sql(as_text(value), Kind.TEXT)
        number = as_number(value)
        order = f"({number} IS NOT NULL, {number}, natural_key({value.text}))"
        return self._column(f"{function}({value.text}, {order})", Kind.TEXT)


def _percent(argument: Expression) -> float:
    if not isinstance(argument, Number) or not 0 <= argument.value <= 100:
        raise MalformedQuery(
            "the second argument of pct() is a number from 0 to 100, as in pct(@duration, 95)",
            argument.span.start,
            argument.span.end,
        )
    return argument.value
