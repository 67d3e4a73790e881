"""Render mapping templates: the Velocity Template Language as API Gateway evaluates it.

airspeed-ext parses and evaluates the language. What it leaves to Python is replaced here by what
Java and Velocity do: methods, the values of a map in #foreach, how lists and maps print, arithmetic,
what is equal, that only false is false, and that && and || look no further than they need. API
Gateway takes an undefined reference for an empty string: it renders as nothing, and as a condition of
its own it is true. Source: Apache Velocity user guide 1.7, and the developer guide, "Mapping template
transformations for REST APIs in API Gateway".
"""

import re
from functools import lru_cache
from typing import Any

from airspeed import Template, TemplateError, operators

from helpers.local import contract
from helpers.local.services.apigateway.java_operators import OPERATORS, both, either, is_true
from helpers.local.services.apigateway.java_values import JavaList, JavaMap, method_of

# What API Gateway's templates do not have although the parser has, and what the parser takes for text.
_UNSUPPORTED = re.compile(r"#\{?(macro|return|evaluate|parse|include)\b|#(\[\[)")
# Velocity's formal notation, which the parser knows of #else and #end only.
_FORMAL_DIRECTIVE = re.compile(r"#\{(if|elseif|set|foreach|define)\}(?=\s*\()")
# Developer guide, "Amazon API Gateway quotas": iterations in a #foreach loop, cannot be increased.
MOST_ITERATIONS = 1000


class TemplateFailed(Exception):
    """A template that cannot be parsed or evaluated; the message says where and why."""


class PayloadInvalid(Exception):
    """Raised by a variable: the template reaches into a payload that begins as JSON and is none."""


def render(template: str, variables: dict[str, Any]) -> str:
    """Evaluate `template` with `variables`, named without their `$`.

    What the template assigns to a member of a variable stays there, such as
    `$context.responseOverride.status`. Raises TemplateFailed, and PayloadInvalid from a variable.
    """
    try:
        return str(_compiled(template).merge(variables))
    except (TemplateError, RecursionError) as error:
        if isinstance(error.__cause__, PayloadInvalid):
            raise error.__cause__ from None
        raise TemplateFailed(str(error)) from error


@lru_cache(maxsize=512)
def _compiled(template: str) -> Template:
    unsupported = _UNSUPPORTED.search(template)
    if unsupported:
        raise TemplateFailed(f"#{unsupported[1] or unsupported[2]} is not available in mapping templates")
    compiled = Template(_FORMAL_DIRECTIVE.sub(r"#\1", template))
    try:
        compiled.ensure_compiled()
    except (TemplateError, operators.NoMatch, KeyError) as error:
        # A KeyError where an operator has no precedence, as in `$a not $b`.
        raise TemplateFailed(str(error)) from error
    return compiled


class _Undefined(str):
    """What an undefined reference is: an empty string, whose members and methods are undefined too."""


UNDEFINED = _Undefined()


class _Step(contract.expect(operators, "NameOrCall")):  # type: ignore[misc]
    """One step of a reference: `name`, `name[index]` or `name(arguments)`."""

    def calculate(self, current_object: Any, loader: Any, top_namespace: Any) -> Any:
        if current_object is UNDEFINED:
            return UNDEFINED
        value = _property(current_object, self.name)
        if isinstance(value, operators.DefineDefinition):
            return super().calculate(current_object, loader, top_namespace)
        if self.parameters is not None:
            if isinstance(current_object, operators.LocalNamespace):
                return UNDEFINED
            value = _method(current_object, self.name)(*self.parameters.calculate(top_namespace, loader))
        elif self.index is not None:
            value = _element(value, self.index.calculate(top_namespace, loader))
        return UNDEFINED if value is None else value


class _Substep(contract.expect(operators, "SubExpression")):  # type: ignore[misc]
    """What follows a step: `.name` and so on, or one more `[index]`."""

    def calculate(self, current_object: Any, loader: Any, global_namespace: Any) -> Any:
        if not isinstance(self.expression, operators.ArrayIndex):
            return super().calculate(current_object, loader, global_namespace)
        value = _element(current_object, self.expression.calculate(global_namespace, loader))
        value = UNDEFINED if value is None else value
        if self.subexpression is None:
            return value
        return self.subexpression.calculate(value, loader, global_namespace)


def _property(owner: Any, name: str) -> Any:
    if isinstance(owner, dict):
        try:
            return owner[name]
        except KeyError:
            return None
    if name == "empty" and isinstance(owner, str | list):
        # Velocity's name for isEmpty(): the user guide, "Properties".
        return not owner
    return getattr(owner, "template_properties", {}).get(name)


def _method(owner: Any, name: str) -> Any:
    methods = getattr(owner, "template_methods", {})
    if name in methods:
        return methods[name]
    method = method_of(owner, name)
    return lambda *arguments: method(owner, *arguments)


def _element(owner: Any, index: Any) -> Any:
    try:
        return owner[index]
    except (KeyError, IndexError, TypeError):
        return None


class _Array(contract.expect(operators, "ArrayLiteral")):  # type: ignore[misc]
    calculate: Any

    def parse(self) -> None:
        super().parse()
        values = self.calculate
        self.calculate = lambda namespace, loader: JavaList(values(namespace, loader))


class _Map(contract.expect(operators, "DictionaryLiteral")):  # type: ignore[misc]
    def calculate(self, namespace: Any, loader: Any) -> JavaMap:
        return JavaMap(super().calculate(namespace, loader))


class _Condition(contract.expect(operators, "Condition")):  # type: ignore[misc]
    def calculate(self, namespace: Any, loader: Any) -> bool:
        return is_true(self.expression.calculate(namespace, loader))


class _Expression(contract.expect(operators, "Expression")):  # type: ignore[misc]
    """Operands and operators in turn, evaluated from left to right."""

    def calculate(self, namespace: Any, loader: Any) -> Any:
        return _evaluated(self.expression, namespace, loader)


def _evaluated(terms: list[Any], namespace: Any, loader: Any) -> Any:
    if len(terms) == 1:
        return terms[0].calculate(namespace, loader)
    # What binds least is applied last; of operators that bind alike, the last one.
    last = max(range(1, len(terms), 2), key=lambda index: (terms[index].precedence, index))
    operation, left = terms[last].apply_to, _evaluated(terms[:last], namespace, loader)
    if (operation is both and not is_true(left)) or (operation is either and is_true(left)):
        return operation is either
    return operation(left, _evaluated(terms[last + 1 :], namespace, loader))


class _BreakRequested(BaseException):
    """#break. No Exception, because airspeed wraps those into its own."""


class _Break(contract.expect(operators, "_Element")):  # type: ignore[misc]
    DIRECTIVE = re.compile(r"#(?:break\b|\{break\})(.*)", re.S)

    def parse(self) -> None:
        self.identity_match(self.DIRECTIVE)

    def evaluate(self, stream: Any, namespace: Any, loader: Any) -> None:
        raise _BreakRequested


class _LoopScope(contract.expect(operators, "LocalNamespace")):  # type: ignore[misc]
    """The variables of a loop itself. What #set makes in it is there after the loop too."""

    def set_inherited(self, key: str, value: Any) -> None:
        if key in self:
            self[key] = value
        else:
            self.parent.set_inherited(key, value)


class _Foreach(contract.expect(operators, "ForeachDirective")):  # type: ignore[misc]
    """#foreach runs over the values of a map, and #break leaves it."""

    def evaluate_raw(self, stream: Any, namespace: Any, loader: Any) -> None:
        items = _items(self.value.calculate(namespace, loader))
        for index, item in enumerate(items):
            if index == MOST_ITERATIONS:
                # AWS documents the quota, and not what a loop that exceeds it comes to.
                raise TemplateFailed(f"a #foreach loop has at most {MOST_ITERATIONS} iterations")
            scope = _LoopScope(namespace)
            has_next = index + 1 < len(items)
            scope.update({"velocityCount": index + 1, "velocityHasNext": has_next, self.loop_var_name: item})
            scope["foreach"] = JavaMap(
                count=index + 1,
                index=index,
                hasNext=has_next,
                first=index == 0,
                last=not has_next,
                parent=_property(namespace, "foreach"),
            )
            try:
                self.block.evaluate(stream, scope, loader)
            except _BreakRequested:
                return


def _items(iterable: Any) -> list[Any]:
    """What #foreach runs over; Velocity passes over what is no collection."""
    if isinstance(iterable, dict):
        return list(iterable.values())
    return list(iterable) if isinstance(iterable, list) else []


def _adapt() -> None:
    """airspeed looks its parts up by name each time it parses."""
    steps = ("self", "current_object", "loader", "top_namespace")
    contract.expect(operators.NameOrCall, "calculate", steps)
    contract.expect(operators.Condition, "calculate", ("self", "namespace", "loader"))
    contract.expect(operators.ForeachDirective, "evaluate_raw", ("self", "stream", "namespace", "loader"))
    contract.expect(operators.Expression, "calculate", ("self", "namespace", "loader"))
    substeps = ("self", "current_object", "loader", "global_namespace")
    contract.expect(operators.SubExpression, "calculate", substeps)
    contract.expect(operators.LocalNamespace, "set_inherited", ("self", "key", "value"))
    operators.NameOrCall = _Step
    operators.SubExpression = _Substep
    operators.Expression = _Expression
    operators.ArrayLiteral = _Array
    operators.DictionaryLiteral = _Map
    operators.Condition = _Condition
    operators.ForeachDirective = _Foreach
    contract.expect(operators.UserDefinedDirective, "DIRECTIVES").append(_Break)
    contract.expect(operators.BinaryOperator, "OPERATORS").update(OPERATORS)
    negations = contract.expect(operators.UnaryOperatorValue, "OPERATORS")
    negations.update(dict.fromkeys(negations, lambda value: not is_true(value)))


_adapt()
