"""Render mapping templates: the Velocity Template Language as API Gateway evaluates it.

airspeed-ext parses and evaluates the language. What it leaves to Python is replaced here by what
Java and Velocity do: methods, the values of a map in #foreach, how lists and maps print, arithmetic,
what is equal, and that only false is false. API Gateway takes an undefined reference for an empty
string: it renders as nothing, and as a condition of its own it is true. Source: Apache Velocity user
guide 1.7, and the developer guide, "Mapping template transformations for REST APIs in API Gateway".
"""

import re
from functools import lru_cache
from typing import Any

from airspeed import Template, TemplateError, operators

from helpers.local import contract
from helpers.local.services.apigateway.java_operators import OPERATORS, is_true
from helpers.local.services.apigateway.java_values import JavaList, JavaMap, method_of

# What API Gateway's templates do not have although the parser has, and what the parser takes for text.
_UNSUPPORTED = re.compile(r"#\{?(macro|return|evaluate|parse|include)\b|#(\[\[)")


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
    compiled = Template(template)
    try:
        compiled.ensure_compiled()
    except (TemplateError, operators.NoMatch) as error:
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


def _property(owner: Any, name: str) -> Any:
    if isinstance(owner, dict):
        try:
            return owner[name]
        except KeyError:
            return None
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


class _BreakRequested(BaseException):
    """#break. No Exception, because airspeed wraps those into its own."""


class _Break(contract.expect(operators, "_Element")):  # type: ignore[misc]
    DIRECTIVE = re.compile(r"#(?:break\b|\{break\})(.*)", re.S)

    def parse(self) -> None:
        self.identity_match(self.DIRECTIVE)

    def evaluate(self, stream: Any, namespace: Any, loader: Any) -> None:
        raise _BreakRequested


class _Foreach(contract.expect(operators, "ForeachDirective")):  # type: ignore[misc]
    """#foreach runs over the values of a map, and #break leaves it."""

    def evaluate_raw(self, stream: Any, namespace: Any, loader: Any) -> None:
        items = _items(self.value.calculate(namespace, loader))
        for index, item in enumerate(items):
            scope = operators.LocalNamespace(namespace)
            has_next = index + 1 < len(items)
            scope |= {"velocityCount": index + 1, "velocityHasNext": has_next, self.loop_var_name: item}
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
    operators.NameOrCall = _Step
    operators.ArrayLiteral = _Array
    operators.DictionaryLiteral = _Map
    operators.Condition = _Condition
    operators.ForeachDirective = _Foreach
    contract.expect(operators.UserDefinedDirective, "DIRECTIVES").append(_Break)
    contract.expect(operators.BinaryOperator, "OPERATORS").update(OPERATORS)
    negations = contract.expect(operators.UnaryOperatorValue, "OPERATORS")
    negations.update(dict.fromkeys(negations, lambda value: not is_true(value)))


_adapt()
