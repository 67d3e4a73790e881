"""What a parameter and a path may be called.

AWS: Systems Manager user guide, "Creating Parameter Store parameters in Systems Manager", requirements and
constraints for parameter names; API reference, "PutParameter" and "GetParametersByPath".
"""

import re

from helpers.local.functions.refusal import Refused

MAXIMUM_LEVELS = 15
# Of the ARN: what stands before the name counts.
LONGEST_ARN = 1011
_CHARACTERS = re.compile(r"[A-Za-z0-9_./-]+")
_PATH_RULE = (
    "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a "
    'forward slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must use only '
    "letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters "
    'are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". '
    "Valid example: /get/parameters2-/by1./path0_."
)


def check_name(name: str, arn: str) -> None:
    """Raises ValidationException or HierarchyLevelLimitExceededException. Reserved names are checked by the
    emulator."""
    if _CHARACTERS.fullmatch(name) and "/" in name and not name.startswith("/"):
        raise validation_error("Parameter name must be a fully qualified name.")
    check_characters(name)
    if "//" in name or (name.endswith("/") and name.startswith("/")):
        raise validation_error(f"Parameter name must not have an empty sub-path: {name}")
    if name.count("/") > MAXIMUM_LEVELS:
        raise Refused(
            "HierarchyLevelLimitExceededException",
            f"A hierarchy can have a maximum of {MAXIMUM_LEVELS} levels.",
            400,
        )
    if len(arn) > LONGEST_ARN:
        message = f"Parameter name: with its ARN it has {len(arn)} of at most {LONGEST_ARN} characters."
        raise validation_error(message)


def check_characters(name: str) -> None:
    """Of a name that is to be read or written. Raises ValidationException."""
    if not _CHARACTERS.fullmatch(name) or ("/" in name and not name.startswith("/")):
        raise validation_error(
            'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can '
            "consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, "
            "numbers and the following 3 symbols .-_"
        )


def check_path(path: str) -> None:
    """Raises ValidationException."""
    if not path.startswith("/") or not _CHARACTERS.fullmatch(path) or "//" in path:
        raise validation_error(_PATH_RULE)


def validation_error(message: str) -> Refused:
    return Refused("ValidationException", message, 400)


def constraint_broken(value: object, member: str, constraint: str) -> Refused:
    """As AWS's front end says it; it does not show secret values, for which `value` is None."""
    shown = "Value" if value is None else f"Value '{value}'"
    return validation_error(
        f"1 validation error detected: {shown} at '{member}' failed to satisfy constraint: {constraint}"
    )
