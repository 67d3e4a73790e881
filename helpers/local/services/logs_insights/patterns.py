"""Regular expressions and globs.

Regular expressions are RE2's, as on AWS: no look-around and no back-references. AWS: CloudWatch
Logs user guide, "parse", and "Supported regular expressions (regex) syntax".
"""

import re
from dataclasses import dataclass

import duckdb

from helpers.local.services.logs_insights.database import connect
from helpers.local.services.logs_insights.syntax import MalformedQuery, Parse, Regex, String
from helpers.local.services.logs_insights.typed import quote_literal

# An escaped character, a character class, or the beginning of a group with its name.
_REGEX_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\((?:\?P<(\w+)>|(\?))?", re.DOTALL)


@dataclass(frozen=True)
class Extraction:
    """What `parse` takes out of a text.

    `sql` is an expression with `{0}` for the text; `names` gives for each extracted field an
    expression with `{0}` for the value of `sql`.
    """

    sql: str
    names: dict[str, str]


def check_regex(regex: Regex) -> None:
    """Raises MalformedQuery with RE2's reason."""
    try:
        with connect() as connection:
            connection.execute("SELECT regexp_matches('', ?)", [regex.pattern])
    except duckdb.Error as error:
        reason = str(error).partition(": ")[2]
        raise MalformedQuery(
            f"The regular expression /{regex.pattern}/ is not valid: {reason}. Expected RE2's syntax, which "
            "has no look-around and no back-references.",
            regex.span.start,
            regex.span.end,
        ) from error


def extraction(command: Parse) -> Extraction:
    """Raises MalformedQuery when names and groups, or names and wildcards, do not match."""
    if isinstance(command.pattern, String):
        pattern, groups = _regex_of_glob(command.pattern.value)
        what = "wildcards (*)"
    else:
        check_regex(command.pattern)
        pattern, groups = command.pattern.pattern, _capture_groups(command.pattern.pattern)
        what = "groups"
    names: list[str | None] = list(command.names) or groups
    if not any(names) or (command.names and len(names) != len(groups)):
        raise MalformedQuery(
            f"parse extracts {len(groups)} {what}, and {len(command.names)} names are given. Name each of "
            'them, as in parse @message "user=*, method:*" as user, method or /user=(?<user>\\w+)/',
            command.pattern.span.start,
            command.pattern.span.end,
        )
    quoted = quote_literal(pattern).replace("{", "{{").replace("}", "}}")
    if len(groups) == 1:
        return Extraction(f"extracted({{0}}, {quoted})", {str(names[0]): "{0}"})
    members = ", ".join(f"'m{index}'" for index in range(len(groups)))
    # An empty group and one that took no part in the match are both a missing field.
    parts = {name: f"nullif({{0}}.m{index}, '')" for index, name in enumerate(names) if name}
    return Extraction(f"regexp_extract({{0}}, {quoted}, [{members}])", parts)


def _capture_groups(pattern: str) -> list[str | None]:
    """The names of the capturing groups, in order; None for one without a name."""
    groups: list[str | None] = []
    for part in _REGEX_PART.finditer(pattern):
        name, not_capturing = part.groups()
        if part.group().startswith("(") and not not_capturing:
            groups.append(name)
    return groups


def _regex_of_glob(glob: str) -> tuple[str, list[str | None]]:
    """Wildcards take as little as they can, except for one at the end, which takes all that is left."""
    literals = [re.escape(literal) for literal in glob.split("*")]
    pattern = "(.*?)".join(literals)
    if glob.endswith("*"):
        pattern = pattern.removesuffix("(.*?)") + "(.*)"
    return f"(?s){pattern}", [None] * (len(literals) - 1)
