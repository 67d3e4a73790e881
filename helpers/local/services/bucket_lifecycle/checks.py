"""Lifecycle rules that S3 refuses.

AWS: Amazon S3 user guide, "Lifecycle configuration elements" and "Transitioning objects using Amazon S3
Lifecycle"; API reference, "PutBucketLifecycleConfiguration".
"""

from itertools import pairwise
from typing import Any

from helpers.local.functions.refusal import Refused
from helpers.local.services.bucket_lifecycle.document import Rule, invalid_argument, malformed

# From the warmest to the coldest: objects go down this list, never up.
STORAGE_CLASSES = (
    "STANDARD",
    "STANDARD_IA",
    "INTELLIGENT_TIERING",
    "ONEZONE_IA",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
)
INFREQUENT_ACCESS = ("STANDARD_IA", "ONEZONE_IA")
INFREQUENT_ACCESS_DAYS = 30
LONGEST_ID = 255
MAXIMUM_NEWER_VERSIONS = 100
_ACTIONS = (
    "Transitions",
    "Expiration",
    "NoncurrentVersionTransitions",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
)
_SIZES = ("ObjectSizeGreaterThan", "ObjectSizeLessThan")


def check_rules(rules: list[Rule]) -> None:
    """Raises Refused."""
    for rule in rules:
        _check_rule(rule)
    ids = [rule["ID"] for rule in rules]
    if len(set(ids)) < len(ids):
        raise invalid_argument("Rule ID must be unique. Found same ID for more than one rule")


def conditions(rule: Rule) -> dict[str, Any]:
    """What a rule's filter asks of an object: Prefix, Tags and the sizes, as far as they are given."""
    given = dict(rule["Filter"])
    given |= given.pop("And", {})
    if "Tag" in given:
        given["Tags"] = [given.pop("Tag")]
    return given


def _check_rule(rule: Rule) -> None:
    if rule.get("Status") not in ("Enabled", "Disabled"):
        raise malformed()
    if len(rule["ID"]) > LONGEST_ID:
        raise invalid_argument(f"ID length should not exceed allowed limit of {LONGEST_ID}")
    _check_filter(rule["Filter"])
    if not any(rule.get(action) for action in _ACTIONS):
        raise _invalid_request("At least one action needs to be specified in a rule")
    tagged = "Tags" in conditions(rule)
    transitions = rule.get("Transitions", [])
    _check_transitions(transitions, _shown(rule))
    if "Expiration" in rule:
        _check_expiration(rule["Expiration"], tagged)
        _check_expiration_after(rule["Expiration"], transitions, _shown(rule))
    _check_noncurrent(rule)
    if "AbortIncompleteMultipartUpload" in rule:
        if tagged:
            raise _invalid_request("AbortIncompleteMultipartUpload cannot be specified with Tags.")
        action = rule["AbortIncompleteMultipartUpload"]
        _check_positive(action, "DaysAfterInitiation", "AbortIncompleteMultipartUpload")


def _check_filter(given: dict[str, Any]) -> None:
    combined = given.get("And", {})
    # And combines two predicates or more, of which each tag is one.
    predicates = [name for name in combined if name != "Tags"] + combined.get("Tags", [])
    if len(given) > 1 or ("And" in given and len(predicates) < 2):
        raise malformed()
    sizes = given | combined
    if any(sizes.get(name, 1) < 0 for name in _SIZES):
        raise malformed()
    if all(name in sizes for name in _SIZES) and sizes[_SIZES[0]] >= sizes[_SIZES[1]]:
        raise _invalid_request("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")


def _check_transitions(transitions: list[dict[str, Any]], shown: str) -> None:
    for transition in transitions:
        _check_class(transition)
        if ("Days" in transition) == ("Date" in transition):
            raise malformed()
        _check_days(transition, "Days", "Transition")
    if len({"Days" in transition for transition in transitions}) > 1:
        raise _invalid_request(
            f"Found mixed 'Date' and 'Days' based Transition actions in lifecycle rule for {shown}"
        )
    if len({transition["StorageClass"] for transition in transitions}) < len(transitions):
        raise _invalid_request(
            f"'StorageClass' must be different for 'Transition' actions in same 'Rule' with {shown}"
        )
    by_class = sorted(transitions, key=lambda each: STORAGE_CLASSES.index(each["StorageClass"]))
    for warmer, colder in pairwise(by_class):
        unit = "Days" if "Days" in warmer else "Date"
        if colder[unit] <= warmer[unit]:
            first, second = (
                f"'{unit}' in the 'Transition' action for StorageClass '{each['StorageClass']}' for {shown}"
                for each in (colder, warmer)
            )
            raise invalid_argument(f"{first} must be greater than {second}")


def _check_expiration(expiration: dict[str, Any], tagged: bool) -> None:
    if len(expiration) != 1:
        raise malformed()
    if "Days" in expiration:
        _check_positive(expiration, "Days", "Expiration")
    if "ExpiredObjectDeleteMarker" in expiration and tagged:
        raise _invalid_request("ExpiredObjectDeleteMarker cannot be specified with Tags.")


def _check_expiration_after(
    expiration: dict[str, Any], transitions: list[dict[str, Any]], shown: str
) -> None:
    for unit, other in (("Days", "Date"), ("Date", "Days")):
        if unit not in expiration:
            continue
        if any(other in transition for transition in transitions):
            raise _invalid_request(
                "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule "
                f"for {shown}"
            )
        if any(expiration[unit] <= transition[unit] for transition in transitions):
            raise invalid_argument(
                f"'{unit}' in the Expiration action for {shown} must be greater than '{unit}' in the "
                "Transition action"
            )


def _check_noncurrent(rule: Rule) -> None:
    for transition in rule.get("NoncurrentVersionTransitions", []):
        _check_class(transition)
        _check_days(transition, "NoncurrentDays", "NoncurrentVersionTransition")
    actions = [*rule.get("NoncurrentVersionTransitions", [])]
    if "NoncurrentVersionExpiration" in rule:
        expiration = rule["NoncurrentVersionExpiration"]
        _check_positive(expiration, "NoncurrentDays", "NoncurrentVersionExpiration")
        actions.append(expiration)
    for action in actions:
        if not 1 <= action.get("NewerNoncurrentVersions", 1) <= MAXIMUM_NEWER_VERSIONS:
            raise invalid_argument(
                f"'NewerNoncurrentVersions' must be between 1 and {MAXIMUM_NEWER_VERSIONS}"
            )


def _check_class(transition: dict[str, Any]) -> None:
    if transition.get("StorageClass") not in STORAGE_CLASSES[1:]:
        raise malformed()


def _check_days(transition: dict[str, Any], name: str, action: str) -> None:
    """Of a transition, which may be at once: but not to a class for infrequent access."""
    days, storage_class = transition.get(name), transition["StorageClass"]
    if days is None:
        if name != "Days":
            raise malformed()
        return
    if days < 0:
        raise invalid_argument(f"'{name}' in {action} action must be nonnegative")
    if storage_class in INFREQUENT_ACCESS and days < INFREQUENT_ACCESS_DAYS:
        raise invalid_argument(
            f"'{name}' in {action} action must be greater than or equal to {INFREQUENT_ACCESS_DAYS} for "
            f"storageClass '{storage_class}'"
        )


def _check_positive(action: dict[str, Any], member: str, name: str) -> None:
    if member not in action:
        raise malformed()
    if action[member] < 1:
        raise invalid_argument(f"'{member}' for {name} action must be a positive integer")


def _shown(rule: Rule) -> str:
    """How S3's messages name a rule's filter."""
    return f"filter '(prefix={conditions(rule).get('Prefix', '')})'"


def _invalid_request(message: str) -> Refused:
    return Refused("InvalidRequest", message, 400)
