"""What enabled rules do to the objects of a bucket.

AWS: Amazon S3 user guide, "Lifecycle configuration elements" (days are counted from the creation, rounded
up to the next midnight UTC; an action with a date in the past applies to all objects, also new ones),
"Transitioning objects using Amazon S3 Lifecycle" (minimum sizes) and "Conflicts in lifecycle
configurations" (expiration goes before transition, the colder class before the warmer).

Acts on current versions. Noncurrent versions, delete markers and multipart uploads are a day old at least
when S3 would act on them, and no local AWS is.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ministack.services import s3

from helpers.local import contract
from helpers.local.services.bucket_lifecycle.checks import STORAGE_CLASSES, conditions
from helpers.local.services.bucket_lifecycle.document import Rule

VARIES_BY_STORAGE_CLASS = "varies_by_storage_class"
ALL_CLASSES_128K = "all_storage_classes_128K"
SMALLEST_BYTES = 128 * 1024
# With VARIES_BY_STORAGE_CLASS, small objects still go there.
_OF_ANY_SIZE = ("GLACIER", "DEEP_ARCHIVE")
_DAY = timedelta(days=1)

_buckets = contract.expect(s3, "_buckets")
_versioning = contract.expect(s3, "_bucket_versioning")
_versions = contract.expect(s3, "_object_versions")
_tags = contract.expect(s3, "_object_tags")
_purge = contract.expect(s3, "_purge_current_object", ("bucket_name", "key", "bucket"))
_mark_deleted = contract.expect(s3, "_record_delete_marker", ("bucket_name", "key", "prior_obj"))
_notify = contract.expect(s3, "_fire_s3_event_async")


@dataclass(frozen=True)
class Object:
    """The current version of an object: the emulator's record, and what rules ask of it."""

    key: str
    record: dict[str, Any]
    tags: dict[str, str]

    @property
    def size_bytes(self) -> int:
        return int(self.record["size"])

    @property
    def storage_class(self) -> str:
        return self.record.get("storage_class") or "STANDARD"

    def has_come(self, action: dict[str, Any], now: datetime) -> bool:
        if "Date" in action:
            return datetime.fromisoformat(action["Date"]) <= now
        if "Days" not in action:
            return False
        due = datetime.fromisoformat(self.record["last_modified"]) + timedelta(days=action["Days"])
        midnight = due.replace(hour=0, minute=0, second=0, microsecond=0)
        return (due if due == midnight else midnight + _DAY) <= now

    def meets(self, rule: Rule) -> bool:
        asked = conditions(rule)
        return (
            self.key.startswith(asked.get("Prefix", ""))
            and all(self.tags.get(tag["Key"]) == tag["Value"] for tag in asked.get("Tags", []))
            and self.size_bytes > asked.get("ObjectSizeGreaterThan", -1)
            and self.size_bytes < asked.get("ObjectSizeLessThan", self.size_bytes + 1)
        )


def apply(bucket_name: str, rules: list[Rule], minimum_size: str) -> None:
    """Do what is due in a bucket of the current account."""
    bucket, now = _buckets[bucket_name], datetime.now(UTC)
    for key, record in list(bucket["objects"].items()):
        tags = _tags.get((bucket_name, key, record.get("version_id"))) or {}
        stored = Object(key, record, tags)
        matching = [rule for rule in rules if rule["Status"] == "Enabled" and stored.meets(rule)]
        if any(stored.has_come(rule.get("Expiration", {}), now) for rule in matching):
            _expire(bucket_name, bucket, stored)
        else:
            _transition(bucket_name, stored, _coldest_due(stored, matching, minimum_size, now))


def _coldest_due(stored: Object, rules: list[Rule], minimum_size: str, now: datetime) -> str:
    """The storage class in which the object should be: its own when no transition is due."""
    due = [
        transition["StorageClass"]
        for rule in rules
        for transition in rule.get("Transitions", [])
        if stored.has_come(transition, now)
        and _is_large_enough(stored, rule, transition["StorageClass"], minimum_size)
    ]
    return max([stored.storage_class, *due], key=_coldness)


def _coldness(storage_class: str) -> int:
    """Classes that are not on the way down, such as REDUCED_REDUNDANCY, are as warm as can be."""
    return STORAGE_CLASSES.index(storage_class) if storage_class in STORAGE_CLASSES else 0


def _is_large_enough(stored: Object, rule: Rule, storage_class: str, minimum_size: str) -> bool:
    if any(name.startswith("ObjectSize") for name in conditions(rule)):
        return True
    if minimum_size == VARIES_BY_STORAGE_CLASS and storage_class in _OF_ANY_SIZE:
        return True
    return stored.size_bytes >= SMALLEST_BYTES


def _transition(bucket_name: str, stored: Object, storage_class: str) -> None:
    if storage_class == stored.storage_class:
        return
    stored.record["storage_class"] = storage_class
    for version in _versions.get((bucket_name, stored.key)) or []:
        if version["version_id"] == stored.record.get("version_id"):
            version["storage_class"] = storage_class
    _notify(bucket_name, stored.key, "s3:LifecycleTransition", size=stored.size_bytes)


def _expire(bucket_name: str, bucket: dict[str, Any], stored: Object) -> None:
    if _versioning.get(bucket_name) in ("Enabled", "Suspended"):
        _mark_deleted(bucket_name, stored.key, stored.record)
        bucket["objects"].pop(stored.key, None)
        _notify(bucket_name, stored.key, "s3:LifecycleExpiration:DeleteMarkerCreated")
    else:
        _purge(bucket_name, stored.key, bucket)
        _notify(bucket_name, stored.key, "s3:LifecycleExpiration:Delete")
