"""JSON Schemas as validators of configurations.

AWS: AppConfig user guide, "Understanding validators": AppConfig supports JSON Schema version 4.X; for another
version there are functions.

Imported when the first schema comes: the library's own import takes as long as half a start.
"""

import json

from jsonschema import Draft4Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from helpers.local.functions.refusal import not_implemented
from helpers.local.services.appconfig.refusals import InvalidConfiguration, bad_request

KIND = "JSON_SCHEMA"
_DRAFT_4 = "http://json-schema.org/draft-04/schema"


def check_schema(content: str) -> None:
    """Raises Refused when `content` is no JSON Schema of version 4."""
    try:
        schema = json.loads(content)
    except ValueError as error:
        raise bad_request(f"The JSON Schema of a validator is not JSON: {error}") from None
    named = schema.get("$schema", _DRAFT_4) if isinstance(schema, dict) else _DRAFT_4
    if str(named).rstrip("#") != _DRAFT_4:
        raise bad_request(
            f"AWS AppConfig supports JSON Schema version 4.X: name {_DRAFT_4}# or nothing as $schema, "
            f"not {named}, or use a LAMBDA validator."
        )
    try:
        Draft4Validator.check_schema(schema)
    except SchemaError as error:
        raise bad_request(f"The JSON Schema of a validator is not valid: {error.message}") from None


def errors(schema: str, content: bytes, content_type: str) -> list[InvalidConfiguration]:
    """Why a configuration does not satisfy `schema`. Raises Refused for one in YAML."""
    if "yaml" in content_type:
        raise not_implemented("a JSON Schema validator on a configuration in YAML")
    try:
        document = json.loads(content)
    except ValueError as error:
        return [InvalidConfiguration(KIND, f"The configuration is not JSON: {error}")]
    # A registry of its own, because the default one would fetch what a schema refers to.
    validator = Draft4Validator(json.loads(schema), registry=Registry())
    try:
        return [_described(error) for error in validator.iter_errors(document)]
    except Unresolvable as error:
        return [InvalidConfiguration(KIND, f"The schema refers to what it does not have: {error}")]


def _described(error: ValidationError) -> InvalidConfiguration:
    place = "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in error.absolute_schema_path)
    return InvalidConfiguration(KIND, error.message, constraint=str(error.validator), location=f"#/{place}")
