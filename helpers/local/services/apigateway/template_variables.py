"""The variables `$input` and `$util` of mapping templates.

Source: developer guide, "Variables for data transformations for API Gateway", input variables and
util variables. What evaluates a template finds a variable's members in `template_properties` and its
methods in `template_methods`.
"""

import base64
import json
from functools import cached_property
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from helpers.local.services.apigateway import json_path
from helpers.local.services.apigateway.java_values import HeaderMap, JavaMap, from_json, text, to_json
from helpers.local.services.apigateway.velocity import PayloadInvalid

# A payload that is empty counts as an empty object.
EMPTY_PAYLOAD = "{}"
_ESCAPED = {"\b": "\\b", "\n": "\\n", "\t": "\\t", "\f": "\\f", "\r": "\\r"}
_ESCAPED |= {character: f"\\{character}" for character in "'\"\\/"}


class Input:
    """`$input`: the payload, and the parameters of the method request, by where they came from."""

    def __init__(self, payload: str, parameters: JavaMap) -> None:
        """`parameters` has the keys path, querystring and header, in the order of precedence."""
        self._payload = payload or EMPTY_PAYLOAD
        self._parameters = parameters
        self.template_properties = {"body": self._payload}
        self.template_methods = {"json": self._json, "path": self._path, "params": self._params}

    @cached_property
    def _document(self) -> Any:
        try:
            return json.loads(self._payload)
        except ValueError as error:
            if self._payload.lstrip()[:1] in ("{", "["):
                raise PayloadInvalid(str(error)) from error
            # A form or plain text is one string.
            return self._payload

    def _found(self, path: str) -> Any:
        try:
            return json_path.parse(path).evaluate(self._document)
        except json_path.NotFound:
            return ""

    def _json(self, path: str) -> str:
        return to_json(self._found(path))

    def _path(self, path: str) -> Any:
        return from_json(self._found(path))

    def _params(self, name: str | None = None) -> Any:
        if name is None:
            return self._parameters
        for parameters in self._parameters.values():
            if name in parameters:
                return parameters[name]
        return ""


def input_variable(
    payload: bytes, path: dict[str, str], query: dict[str, list[str]], headers: dict[str, str]
) -> Input:
    """Of a parameter that the query string has more than once, templates see the last value."""
    parameters = JavaMap(
        path=JavaMap(path),
        querystring=JavaMap({name: values[-1] for name, values in query.items()}),
        header=HeaderMap(headers),
    )
    return Input(payload.decode(errors="replace"), parameters)


def _escape_java_script(value: Any) -> str:
    """Single quotes too, which the documentation warns of: JSON knows no escaped single quote."""
    return "".join(_escape(character) for character in text(value))


def _escape(character: str) -> str:
    if character in _ESCAPED:
        return _ESCAPED[character]
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[index] << 8 | units[index + 1]:04X}" for index in range(0, len(units), 2))


def _url_encode(value: Any) -> str:
    """As java.net.URLEncoder does."""
    return quote_plus(text(value), safe="*").replace("~", "%7E")


class _Util:
    """`$util`."""

    def __init__(self) -> None:
        self.template_methods = {
            "escapeJavaScript": _escape_java_script,
            "parseJson": lambda value: from_json(json.loads(value)),
            "urlEncode": _url_encode,
            "urlDecode": unquote_plus,
            "base64Encode": lambda value: base64.b64encode(text(value).encode()).decode(),
            "base64Decode": lambda value: base64.b64decode(value).decode(errors="replace"),
        }


UTIL = _Util()
