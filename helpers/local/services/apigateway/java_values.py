"""The Java objects that a mapping template handles: how they print, and which methods they have.

API Gateway evaluates templates in Java, and templates call Java's methods on strings, lists and
maps. Source: Java SE API, java.lang.String, java.util.List and java.util.Map. An object of a JSON
payload prints as a Java map ({a=1}), an array of one as JSON, as API Gateway does.
"""

import json
import re
from collections.abc import Callable
from typing import Any

Method = Callable[..., Any]


class NoSuchMethod(Exception):
    """A template calls a method that its object does not have here; the message names both."""


class JavaMap(dict[str, Any]):
    """java.util.Map, also what a JSON object becomes."""

    def __str__(self) -> str:
        return "{" + ", ".join(f"{key}={text(value)}" for key, value in self.items()) + "}"


class JavaList(list[Any]):
    """java.util.List, what a template's list literal becomes."""

    def __str__(self) -> str:
        return "[" + ", ".join(text(item) for item in self) + "]"


class JsonArray(JavaList):
    """An array of a JSON payload."""

    def __str__(self) -> str:
        return to_json(self)


class HeaderMap(JavaMap):
    """Headers by lower-case name, found by a name in any case."""

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


class MapEntry(JavaMap):
    """java.util.Map.Entry, as the properties `key` and `value`."""


def from_json(value: Any) -> Any:
    """A parsed JSON value as the objects of this module."""
    if isinstance(value, dict):
        return JavaMap({key: from_json(member) for key, member in value.items()})
    if isinstance(value, list):
        return JsonArray(from_json(item) for item in value)
    return value


def to_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def text(value: Any) -> str:
    """What Java's String.valueOf makes of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def method_of(target: Any, name: str) -> Method:
    """The method `name` of `target`, which it is still to be given. Raises NoSuchMethod."""
    for kind, methods in _METHODS:
        if isinstance(target, kind) and name in methods:
            return methods[name]
    raise NoSuchMethod(f"{name}() of {type(target).__name__} {text(target)[:40]!r} is not implemented")


def _replace_all(value: str, pattern: str, replacement: str) -> str:
    return re.sub(pattern, lambda match: _expand(match, replacement), value)


def _replace_first(value: str, pattern: str, replacement: str) -> str:
    return re.sub(pattern, lambda match: _expand(match, replacement), value, count=1)


def _expand(match: re.Match[str], replacement: str) -> str:
    """Java's replacement: `$1` is a group, and a backslash takes the meaning from what follows."""
    return re.sub(
        r"\\(.)|\$(\d)", lambda part: part[1] or match[int(part[2])] or "", replacement, flags=re.DOTALL
    )


def _split(value: str, pattern: str) -> JavaList:
    parts = re.split(pattern, value)
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return JavaList(parts)


def _substring(value: str, begin: int, end: int | None = None) -> str:
    return value[begin:end]


def _put(target: dict[str, Any], key: str, value: Any) -> Any:
    previous = target.get(key)
    target[key] = value
    return previous


def _set(target: list[Any], index: int, value: Any) -> Any:
    previous, target[index] = target[index], value
    return previous


def _add(target: list[Any], value: Any) -> bool:
    target.append(value)
    return True


def _add_all(target: list[Any], values: list[Any]) -> bool:
    target.extend(values)
    return bool(values)


def _entries(target: dict[str, Any]) -> JavaList:
    return JavaList(MapEntry(key=key, value=value) for key, value in target.items())


_OBJECT: dict[str, Method] = {
    "equals": lambda target, other: type(target) is type(other) and target == other,
    "toString": text,
}
_STRING: dict[str, Method] = {
    "charAt": lambda value, index: value[index],
    "compareTo": lambda value, other: (value > other) - (value < other),
    "concat": lambda value, other: value + other,
    "contains": lambda value, part: part in value,
    "endsWith": str.endswith,
    "equalsIgnoreCase": lambda value, other: value.lower() == text(other).lower(),
    "indexOf": str.find,
    "isBlank": lambda value: not value.strip(),
    "isEmpty": lambda value: not value,
    "lastIndexOf": str.rfind,
    "length": len,
    "matches": lambda value, pattern: re.fullmatch(pattern, value) is not None,
    "replace": str.replace,
    "replaceAll": _replace_all,
    "replaceFirst": _replace_first,
    "split": _split,
    "startsWith": str.startswith,
    "substring": _substring,
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": str.strip,
}
_NUMBER: dict[str, Method] = {
    "compareTo": lambda value, other: (value > other) - (value < other),
    "doubleValue": float,
    "intValue": int,
    "longValue": int,
    # Templates reach these static methods through any number, since Velocity knows no class names.
    "parseInt": lambda _, number: int(number),
    "parseLong": lambda _, number: int(number),
    "parseDouble": lambda _, number: float(number),
}
_LIST: dict[str, Method] = {
    "add": _add,
    "addAll": _add_all,
    "contains": lambda target, value: value in target,
    # Not Java's; API Gateway documents it for the result of $input.path.
    "count": len,
    "get": lambda target, index: target[index],
    "indexOf": lambda target, value: target.index(value) if value in target else -1,
    "isEmpty": lambda target: not target,
    "remove": lambda target, index: target.pop(index),
    "set": _set,
    "size": len,
}
_MAP: dict[str, Method] = {
    "containsKey": lambda target, key: key in target,
    "containsValue": lambda target, value: value in target.values(),
    "entrySet": _entries,
    "get": lambda target, key: target.get(key),
    "getOrDefault": lambda target, key, default: target.get(key, default),
    "isEmpty": lambda target: not target,
    "keySet": lambda target: JavaList(target),
    "put": _put,
    "putAll": lambda target, values: target.update(values),
    "remove": lambda target, key: target.pop(key, None),
    "size": len,
    "values": lambda target: JavaList(target.values()),
}
_ENTRY: dict[str, Method] = {
    "getKey": lambda entry: entry["key"],
    "getValue": lambda entry: entry["value"],
}
_METHODS: tuple[tuple[Any, dict[str, Method]], ...] = (
    (MapEntry, _ENTRY),
    (str, _STRING),
    (dict, _MAP),
    (list, _LIST),
    ((int, float), _NUMBER),
    (object, _OBJECT),
)
