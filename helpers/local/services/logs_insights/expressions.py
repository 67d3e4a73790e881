"""Compile an expression of a query to SQL.

AWS: CloudWatch Logs user guide, "Boolean, comparison, numeric, datetime, and other functions", and
"filter" for `like`, `=~` and `in`.
"""

from helpers.local.services.logs_insights import functions, patterns, periods
from helpers.local.services.logs_insights.scope import Scope
from helpers.local.services.logs_insights.syntax import (
    Binary,
    Call,
    Expression,
    Field,
    Like,
    MalformedQuery,
    Membership,
    Number,
    Period,
    Regex,
    Star,
    String,
    Unary,
)
from helpers.local.services.logs_insights.typed import (
    Kind,
    Sql,
    as_boolean,
    as_number,
    as_text,
    number,
    quote_literal,
    text,
)

_ARITHMETIC = {
    "+": "({0} + {1})",
    "-": "({0} - {1})",
    "*": "({0} * {1})",
    # Nothing comes of a division by zero; DuckDB would answer infinity.
    "/": "({0} / nullif({1}, 0))",
    "%": "({0} % nullif({1}, 0))",
    "^": "pow({0}, {1})",
}


def compile_expression(expression: Expression, scope: Scope) -> Sql:
    """Raises MalformedQuery for what cannot stand here."""
    if scope.results and expression in scope.results:
        return scope.results[expression]
    match expression:
        case Field():
            return scope.look_up(expression)
        case Number():
            return number(expression.value)
        case String():
            return text(expression.value)
        case Unary("-", operand):
            return Sql(f"(- {as_number(compile_expression(operand, scope))})", Kind.NUMBER)
        case Unary(_, operand):
            return Sql(f"(NOT {as_boolean(compile_expression(operand, scope))})", Kind.BOOLEAN)
        case Binary():
            return _binary(expression, scope)
        case Like():
            return _like(expression, scope)
        case Membership(operand, options, negated):
            value = compile_expression(operand, scope)
            tests = [_equal(value, compile_expression(option, scope)) for option in options]
            return _negated_if(negated, f"({' OR '.join(tests)})")
        case Call():
            return _call(expression, scope)
        case Period() | Star():
            raise _misplaced(expression)


def _binary(expression: Binary, scope: Scope) -> Sql:
    operator = expression.operator
    left = compile_expression(expression.left, scope)
    right = compile_expression(expression.right, scope)
    if operator in ("and", "or"):
        return Sql(f"({as_boolean(left)} {operator.upper()} {as_boolean(right)})", Kind.BOOLEAN)
    if operator in _ARITHMETIC:
        return Sql(_ARITHMETIC[operator].format(as_number(left), as_number(right)), Kind.NUMBER)
    if operator in ("=", "!="):
        return _negated_if(operator == "!=", _equal(left, right))
    return Sql(_ordered(operator, left, right), Kind.BOOLEAN)


def _equal(left: Sql, right: Sql) -> str:
    """SQL of a BOOLEAN, never NULL: a missing field equals nothing, so that `!=` lets it through.

    Against a number, text that spells the number is equal to it; against a quoted string, text is
    compared as it stands.
    """
    if _is_number(left) or _is_number(right):
        return f"coalesce({as_number(left)} = {as_number(right)}, false)"
    same_text = f"{as_text(left)} = {as_text(right)}"
    if isinstance(left.literal, str) or isinstance(right.literal, str):
        return f"coalesce({same_text}, false)"
    return f"coalesce({same_text} OR {as_number(left)} = {as_number(right)}, false)"


def _ordered(operator: str, left: Sql, right: Sql) -> str:
    """SQL of a BOOLEAN, never NULL: by number when both sides are numbers, else by text."""
    by_number = f"{as_number(left)} {operator} {as_number(right)}"
    if _is_number(left) or _is_number(right):
        return f"coalesce({by_number}, false)"
    return f"coalesce({by_number}, {as_text(left)} {operator} {as_text(right)}, false)"


def _is_number(value: Sql) -> bool:
    return value.kind is not Kind.TEXT


def _like(expression: Like, scope: Scope) -> Sql:
    operand = as_text(compile_expression(expression.operand, scope))
    if isinstance(expression.pattern, Regex):
        patterns.check_regex(expression.pattern)
        test = f"regexp_matches({operand}, {quote_literal(expression.pattern.pattern)})"
    else:
        test = f"contains({operand}, {quote_literal(expression.pattern.value)})"
    return _negated_if(expression.negated, f"coalesce({test}, false)")


def _negated_if(negated: bool, test: str) -> Sql:
    return Sql(f"(NOT {test})" if negated else test, Kind.BOOLEAN)


def _call(call: Call, scope: Scope) -> Sql:
    if call.function in functions.AGGREGATES and scope.aggregate is not None:
        return scope.aggregate(call)
    if call.function in periods.FUNCTIONS:
        return _time_bucket(call, scope)
    function = functions.FUNCTIONS.get(call.function)
    if function is None:
        raise _unknown_function(call)
    if not function.fewest <= len(call.arguments) <= function.most:
        takes = f"{function.fewest}" if function.fewest == function.most else f"{function.fewest} or more"
        raise MalformedQuery(
            f"{call.function}() is called with {len(call.arguments)} arguments and takes {takes}",
            call.span.start,
            call.span.end,
        )
    arguments = [compile_expression(argument, scope) for argument in call.arguments]
    return function.compile(arguments)


def _time_bucket(call: Call, scope: Scope) -> Sql:
    """`bin(5m)`, `datefloor(@timestamp, 1h)` and `dateceil(@timestamp, 1h)`."""
    *times, period = call.arguments or (None,)
    if not isinstance(period, Period) or len(times) != (0 if call.function == "bin" else 1):
        example = "bin(5m)" if call.function == "bin" else f"{call.function}(@timestamp, 5m)"
        raise MalformedQuery(f"expected a time period, as in {example}", call.span.start, call.span.end)
    time = scope.look_up(Field("@timestamp", call.span)) if not times else compile_expression(times[0], scope)
    return periods.bucket(time, period, up=call.function == "dateceil")


def _unknown_function(call: Call) -> MalformedQuery:
    if call.function in functions.AGGREGATES:
        message = f"{call.function}() can only be used in stats"
    elif call.function in functions.NOT_IMPLEMENTED:
        message = (
            f"The function {call.function}() of Logs Insights QL is not implemented by the local AWS. "
            f"Implemented: {functions.names()}."
        )
    else:
        message = (
            f"unexpected symbol found {call.function}: there is no such function. "
            f"Implemented: {functions.names()}."
        )
    return MalformedQuery(message, call.span.start, call.span.end)


def _misplaced(expression: Period | Star) -> MalformedQuery:
    if isinstance(expression, Period):
        message = "a time period can only be an argument of bin, datefloor and dateceil"
    else:
        message = "* can only be the argument of count"
    return MalformedQuery(message, expression.span.start, expression.span.end)
