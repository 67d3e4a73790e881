"""PutBucketLifecycleConfiguration's XML as the rules that MiniStack keeps and shows.

AWS: Amazon S3 API reference, "PutBucketLifecycleConfiguration" and "LifecycleRule".
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from ministack.services import s3

from helpers.local import contract
from helpers.local.functions.refusal import Refused

# A rule as MiniStack keeps it: members by their names in the API, Filter always, lists in the plural.
Rule = dict[str, Any]

MAXIMUM_RULES = 1000

_parse: Callable[[bytes], Element] = contract.expect(s3, "fromstring")
_NUMBERS = frozenset(
    (
        "Days",
        "NoncurrentDays",
        "NewerNoncurrentVersions",
        "DaysAfterInitiation",
        "ObjectSizeGreaterThan",
        "ObjectSizeLessThan",
    )
)
_PLURALS = {
    "Transition": "Transitions",
    "NoncurrentVersionTransition": "NoncurrentVersionTransitions",
}


def malformed() -> Refused:
    return Refused(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
        400,
    )


def invalid_argument(message: str) -> Refused:
    return Refused("InvalidArgument", message, 400)


def rules_of(body: bytes) -> list[Rule]:
    """Raises Refused. The members of the rules are not checked but for being numbers and dates."""
    try:
        root = _parse(body)
    except ParseError:
        raise malformed() from None
    rules = [_rule(element) for element in root if _name(element) == "Rule"]
    if not 1 <= len(rules) <= MAXIMUM_RULES:
        raise malformed()
    return rules


def _rule(element: Element) -> Rule:
    rule: Rule = {"ID": secrets.token_urlsafe(36)}
    for child in element:
        name = _name(child)
        if name in _PLURALS:
            rule.setdefault(_PLURALS[name], []).append(_members(child))
        elif name in ("ID", "Status", "Prefix"):
            rule[name] = child.text or ""
        else:
            rule[name] = _members(child)
    if ("Prefix" in rule) == ("Filter" in rule):
        raise malformed()
    if "Prefix" in rule:
        # The form of old. It means the same as a filter, and reads back as one here.
        rule["Filter"] = {"Prefix": rule.pop("Prefix")}
    if not rule["ID"]:
        rule["ID"] = secrets.token_urlsafe(36)
    return rule


def _members(element: Element) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for child in element:
        name = _name(child)
        if name in _NUMBERS:
            members[name] = _number(child.text or "")
        elif name == "Date":
            members[name] = _date(child.text or "")
        elif name == "ExpiredObjectDeleteMarker":
            members[name] = child.text == "true"
        elif name == "Tag" and _name(element) == "And":
            members.setdefault("Tags", []).append(_members(child))
        elif name in ("Tag", "And"):
            members[name] = _members(child)
        else:
            members[name] = child.text or ""
    return members


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise malformed() from None


def _date(text: str) -> str:
    """In the form in which S3 shows it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise malformed() from None
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if (moment.hour, moment.minute, moment.second, moment.microsecond) != (0, 0, 0, 0):
        raise invalid_argument("'Date' must be at midnight GMT")
    return f"{moment:%Y-%m-%d}T00:00:00.000Z"
