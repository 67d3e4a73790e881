"""Lifecycle configurations of buckets are checked, shown and carried out.

AWS: Amazon S3 user guide, "Managing the lifecycle of objects", "Lifecycle configuration elements" and
"Transitioning objects using Amazon S3 Lifecycle"; API reference, "PutBucketLifecycleConfiguration".
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from helpers.local.services.bucket_lifecycle.effects import Object
from helpers.waiting import wait_for_message

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
YESTERDAY = MIDNIGHT - timedelta(days=1)
TOMORROW = MIDNIGHT + timedelta(days=1)
# Objects of less than 128 KB are not moved by default.
LARGE = b"x" * 128 * 1024


@dataclass
class Bucket:
    """A bucket of its own; `client` is a boto3 client of Amazon S3."""

    client: Any
    name: str

    def put_rules(self, *rules: dict[str, Any], **parameters: Any) -> None:
        complete = [{"Status": "Enabled", "Filter": {"Prefix": ""}, **rule} for rule in rules]
        self.client.put_bucket_lifecycle_configuration(
            Bucket=self.name, LifecycleConfiguration={"Rules": complete}, **parameters
        )

    def rules(self) -> list[dict[str, Any]]:
        answer = self.client.get_bucket_lifecycle_configuration(Bucket=self.name)
        rules: list[dict[str, Any]] = answer["Rules"]
        return rules

    def refused(self, *rules: dict[str, Any]) -> tuple[str, str]:
        with pytest.raises(ClientError) as refused:
            self.put_rules(*rules)
        error = refused.value.response["Error"]
        return error["Code"], error["Message"]

    def put(self, key: str, body: bytes = LARGE, **parameters: Any) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=body, **parameters)

    def storage_class(self, key: str) -> str:
        answer = self.client.head_object(Bucket=self.name, Key=key)
        return str(answer.get("StorageClass", "STANDARD"))

    def object_keys(self) -> list[str]:
        answer = self.client.list_objects_v2(Bucket=self.name)
        return [found["Key"] for found in answer.get("Contents", [])]


@pytest.fixture
def bucket(make_client: Callable[..., Any]) -> Iterator[Bucket]:
    made = Bucket(make_client("s3"), f"lifecycle-{secrets.token_hex(4)}")
    made.client.create_bucket(Bucket=made.name)
    yield made
    versions = made.client.list_object_versions(Bucket=made.name)
    for found in [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]:
        made.client.delete_object(Bucket=made.name, Key=found["Key"], VersionId=found["VersionId"])
    made.client.delete_bucket(Bucket=made.name)


def transition(days: int | None = None, storage_class: str = "GLACIER", **when: Any) -> dict[str, Any]:
    return {"StorageClass": storage_class, **({} if days is None else {"Days": days}), **when}


def test_a_configuration_reads_back_as_it_was_put(bucket: Bucket) -> None:
    """User guide, "Examples of S3 Lifecycle configurations": logs get colder and go after a year."""
    rules = [
        {
            "ID": "logs",
            "Status": "Enabled",
            "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "kind", "Value": "audit"}]}},
            "Transitions": [transition(30, "STANDARD_IA"), transition(90)],
            "Expiration": {"Days": 365},
        },
        {
            "ID": "rest",
            "Status": "Disabled",
            "Filter": {"ObjectSizeGreaterThan": 500},
            "Expiration": {"Date": TOMORROW},
            "NoncurrentVersionTransitions": [{"NoncurrentDays": 30, "StorageClass": "STANDARD_IA"}],
            "NoncurrentVersionExpiration": {"NoncurrentDays": 60, "NewerNoncurrentVersions": 2},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
    ]
    bucket.put_rules(*rules)
    shown = bucket.rules()
    # S3 shows what an And does not ask for, too.
    assert shown[0]["Filter"]["And"].pop("ObjectSizeGreaterThan") == 0
    assert shown == rules


def test_a_rule_without_an_id_gets_one(bucket: Bucket) -> None:
    """ID: if you don't specify one, S3 assigns a unique value."""
    bucket.put_rules({"Expiration": {"Days": 1}}, {"Expiration": {"Days": 2}})
    first, second = (rule["ID"] for rule in bucket.rules())
    assert first
    assert first != second


def test_a_prefix_of_the_old_form_is_a_filter(bucket: Bucket) -> None:
    """API reference, "LifecycleRule", Prefix: deprecated, use Filter."""
    rule = {"Prefix": "logs/", "Status": "Enabled", "Expiration": {"Days": 1}}
    bucket.client.put_bucket_lifecycle_configuration(
        Bucket=bucket.name, LifecycleConfiguration={"Rules": [rule]}
    )
    assert bucket.rules()[0]["Filter"] == {"Prefix": "logs/"}


def test_a_deleted_configuration_is_gone(bucket: Bucket) -> None:
    bucket.put_rules({"Expiration": {"Days": 1}})
    bucket.client.delete_bucket_lifecycle(Bucket=bucket.name)
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        bucket.rules()


@pytest.mark.parametrize(
    ("rule", "code", "message"),
    [
        (
            {"Transitions": [transition(29, "STANDARD_IA")]},
            "InvalidArgument",
            "'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'",
        ),
        (
            {"Transitions": [transition(0, "ONEZONE_IA")]},
            "InvalidArgument",
            "'Days' in Transition action must be greater than or equal to 30 for storageClass 'ONEZONE_IA'",
        ),
        ({"Transitions": [transition(1, "STANDARD")]}, "MalformedXML", "not validate"),
        ({"Transitions": [transition()]}, "MalformedXML", "not validate"),
        ({"Transitions": [transition(1, Date=TOMORROW)]}, "MalformedXML", "not validate"),
        ({"Transitions": [transition(-1)]}, "InvalidArgument", "must be nonnegative"),
        (
            {"Transitions": [transition(Date=TOMORROW + timedelta(hours=1))]},
            "InvalidArgument",
            "'Date' must be at midnight GMT",
        ),
        (
            {"Transitions": [transition(1), transition(2)]},
            "InvalidRequest",
            "'StorageClass' must be different",
        ),
        (
            {"Transitions": [transition(30, "STANDARD_IA"), transition(30)]},
            "InvalidArgument",
            "for StorageClass 'GLACIER' for filter '(prefix=)' must be greater than",
        ),
        (
            {"Transitions": [transition(1), transition(None, "DEEP_ARCHIVE", Date=TOMORROW)]},
            "InvalidRequest",
            "Found mixed 'Date' and 'Days' based Transition actions",
        ),
        (
            {"Transitions": [transition(30)], "Expiration": {"Days": 30}},
            "InvalidArgument",
            "'Days' in the Expiration action for filter '(prefix=)' must be greater than 'Days' in the "
            "Transition action",
        ),
        (
            {"Transitions": [transition(30)], "Expiration": {"Date": TOMORROW}},
            "InvalidRequest",
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions",
        ),
        ({"Expiration": {"Days": 0}}, "InvalidArgument", "must be a positive integer"),
        ({"Expiration": {"Days": 1, "Date": TOMORROW}}, "MalformedXML", "not validate"),
        (
            {"NoncurrentVersionExpiration": {"NoncurrentDays": 0}},
            "InvalidArgument",
            "must be a positive integer",
        ),
        (
            {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 0}},
            "InvalidArgument",
            "positive integer",
        ),
        (
            {
                "Filter": {"Tag": {"Key": "a", "Value": "b"}},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            },
            "InvalidRequest",
            "cannot be specified with Tags",
        ),
        ({}, "InvalidRequest", "At least one action needs to be specified in a rule"),
        ({"Status": "On", "Expiration": {"Days": 1}}, "MalformedXML", "not validate"),
        ({"ID": "x" * 256, "Expiration": {"Days": 1}}, "InvalidArgument", "allowed limit of 255"),
        (
            {"Filter": {"Prefix": "a", "ObjectSizeLessThan": 5}, "Expiration": {"Days": 1}},
            "MalformedXML",
            "not validate",
        ),
        ({"Filter": {"And": {"Prefix": "a"}}, "Expiration": {"Days": 1}}, "MalformedXML", "not validate"),
        (
            {"Filter": {"And": {"Tags": [{"Key": "a", "Value": "b"}]}}, "Expiration": {"Days": 1}},
            "MalformedXML",
            "not validate",
        ),
    ],
)
def test_rules_that_s3_refuses(bucket: Bucket, rule: dict[str, Any], code: str, message: str) -> None:
    found_code, found_message = bucket.refused(rule)
    assert found_code == code
    assert message in found_message
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        bucket.rules()


def test_ids_are_unique(bucket: Bucket) -> None:
    rule = {"ID": "same", "Expiration": {"Days": 1}}
    assert bucket.refused(rule, {**rule, "Filter": {"Prefix": "other/"}}) == (
        "InvalidArgument",
        "Rule ID must be unique. Found same ID for more than one rule",
    )


def test_either_a_filter_or_a_prefix_is_required(bucket: Bucket) -> None:
    rule = {"Status": "Enabled", "Expiration": {"Days": 1}}
    for given in ({}, {"Filter": {}, "Prefix": ""}):
        with pytest.raises(ClientError, match="MalformedXML"):
            bucket.client.put_bucket_lifecycle_configuration(
                Bucket=bucket.name, LifecycleConfiguration={"Rules": [rule | given]}
            )


def test_objects_are_moved_when_their_date_has_come(bucket: Bucket) -> None:
    """User guide, "Lifecycle configuration elements": also when the date is in the past."""
    for key in ("logs/a", "logs/b", "other"):
        bucket.put(key)
    bucket.put_rules(
        {"Filter": {"Prefix": "logs/"}, "Transitions": [transition(Date=YESTERDAY)]},
        {"Filter": {"Prefix": "other"}, "Transitions": [transition(Date=TOMORROW)]},
    )
    assert [bucket.storage_class(key) for key in ("logs/a", "logs/b", "other")] == [
        "GLACIER",
        "GLACIER",
        "STANDARD",
    ]
    listed = bucket.client.list_objects_v2(Bucket=bucket.name, Prefix="logs/")["Contents"]
    assert {found["StorageClass"] for found in listed} == {"GLACIER"}
    with pytest.raises(ClientError, match="InvalidObjectState"):
        bucket.client.get_object(Bucket=bucket.name, Key="logs/a")


def test_days_have_not_passed_for_a_new_object(bucket: Bucket) -> None:
    bucket.put("new")
    bucket.put_rules({"Transitions": [transition(1)], "Expiration": {"Days": 2}})
    assert bucket.storage_class("new") == "STANDARD"


@pytest.mark.parametrize(
    ("now", "has_come"),
    [
        ("2026-01-31T10:00:00+00:00", False),
        ("2026-01-31T23:59:59+00:00", False),
        ("2026-02-01T00:00:00+00:00", True),
    ],
)
def test_days_are_rounded_up_to_midnight(now: str, has_come: bool) -> None:
    """User guide: the resulting time is rounded up to the next day at midnight UTC.

    Of an object's record, because nothing in a local AWS is older than itself.
    """
    stored = Object("key", {"last_modified": "2026-01-01T10:00:00.000Z", "size": 1}, {})
    assert stored.has_come({"Days": 30}, datetime.fromisoformat(now)) == has_come


def test_objects_expire_when_their_date_has_come(bucket: Bucket) -> None:
    for key in ("logs/a", "other"):
        bucket.put(key, b"small")
    bucket.put_rules({"Filter": {"Prefix": "logs/"}, "Expiration": {"Date": YESTERDAY}})
    assert bucket.object_keys() == ["other"]


def test_in_a_versioned_bucket_a_delete_marker_is_put(bucket: Bucket) -> None:
    """User guide, "Lifecycle configuration elements", Expiration in a versioning-enabled bucket."""
    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    bucket.put("a")
    bucket.put_rules({"Expiration": {"Date": YESTERDAY}})
    assert bucket.object_keys() == []
    versions = bucket.client.list_object_versions(Bucket=bucket.name)
    assert [found["Key"] for found in versions["Versions"]] == ["a"]
    assert [found["IsLatest"] for found in versions["DeleteMarkers"]] == [True]


def test_a_moved_version_is_listed_with_its_class(bucket: Bucket) -> None:
    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    bucket.put("a")
    bucket.put_rules({"Transitions": [transition(Date=YESTERDAY)]})
    [version] = bucket.client.list_object_versions(Bucket=bucket.name)["Versions"]
    assert version["StorageClass"] == "GLACIER"


def test_small_objects_are_not_moved_unless_the_rule_names_sizes(bucket: Bucket) -> None:
    """User guide, "Transitioning objects": by default not below 128 KB, to any storage class."""
    bucket.put("small", b"x")
    rule = {"Transitions": [transition(Date=YESTERDAY)]}
    bucket.put_rules(rule)
    assert bucket.storage_class("small") == "STANDARD"
    bucket.put_rules({**rule, "Filter": {"ObjectSizeGreaterThan": 0}})
    assert bucket.storage_class("small") == "GLACIER"


def test_the_minimum_size_may_vary_by_storage_class(bucket: Bucket) -> None:
    """API reference, TransitionDefaultMinimumObjectSize."""
    bucket.put("small", b"x")
    varies = {"TransitionDefaultMinimumObjectSize": "varies_by_storage_class"}
    bucket.put_rules({"Transitions": [transition(None, "GLACIER_IR", Date=YESTERDAY)]}, **varies)
    assert bucket.storage_class("small") == "STANDARD"
    bucket.put_rules({"Transitions": [transition(Date=YESTERDAY)]}, **varies)
    assert bucket.storage_class("small") == "GLACIER"
    answer = bucket.client.get_bucket_lifecycle_configuration(Bucket=bucket.name)
    assert answer["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"


def test_filters_by_tag_and_size(bucket: Bucket) -> None:
    tag = {"Key": "kind", "Value": "audit"}
    bucket.put("tagged", Tagging="kind=audit")
    bucket.put("otherwise", Tagging="kind=other")
    bucket.put("large", LARGE * 2)
    bucket.put_rules(
        {"Filter": {"Tag": tag}, "Transitions": [transition(Date=YESTERDAY)]},
        {
            "Filter": {"ObjectSizeGreaterThan": len(LARGE)},
            "Transitions": [transition(None, "DEEP_ARCHIVE", Date=YESTERDAY)],
        },
    )
    classes = {key: bucket.storage_class(key) for key in ("tagged", "otherwise", "large")}
    assert classes == {"tagged": "GLACIER", "otherwise": "STANDARD", "large": "DEEP_ARCHIVE"}


def test_a_filter_of_several_tags_asks_for_all_of_them(bucket: Bucket) -> None:
    """User guide, "Lifecycle configuration elements", Filter: And with two tags and no prefix."""
    bucket.put("both", Tagging="kind=audit&year=2020")
    bucket.put("one", Tagging="kind=audit")
    tags = [{"Key": "kind", "Value": "audit"}, {"Key": "year", "Value": "2020"}]
    bucket.put_rules({"Filter": {"And": {"Tags": tags}}, "Transitions": [transition(Date=YESTERDAY)]})
    assert {key: bucket.storage_class(key) for key in ("both", "one")} == {
        "both": "GLACIER",
        "one": "STANDARD",
    }


def test_the_colder_class_wins_and_nothing_gets_warmer(bucket: Bucket) -> None:
    """User guide, "Conflicts in lifecycle configurations"."""
    bucket.put("archived", StorageClass="DEEP_ARCHIVE")
    bucket.put("new")
    bucket.put_rules(
        {"Transitions": [transition(None, "GLACIER_IR", Date=YESTERDAY)]},
        {"Transitions": [transition(Date=YESTERDAY)]},
    )
    assert (bucket.storage_class("archived"), bucket.storage_class("new")) == ("DEEP_ARCHIVE", "GLACIER")


def test_disabled_rules_do_nothing(bucket: Bucket) -> None:
    bucket.put("a")
    bucket.put_rules({"Status": "Disabled", "Expiration": {"Date": YESTERDAY}})
    assert bucket.object_keys() == ["a"]


def test_a_move_is_notified(bucket: Bucket, make_client: Callable[..., Any]) -> None:
    """User guide, "Amazon S3 Event Notifications", s3:LifecycleTransition."""
    sqs = make_client("sqs")
    url = sqs.create_queue(QueueName=bucket.name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", '
        f'"Principal": {{"Service": "s3.amazonaws.com"}}, "Resource": "{arn}"}}]}}'
    )
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    bucket.client.put_bucket_notification_configuration(
        Bucket=bucket.name,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:LifecycleTransition"]}]
        },
    )
    assert wait_for_message(sqs, url)["Event"] == "s3:TestEvent"
    bucket.put("a")
    bucket.put_rules({"Transitions": [transition(Date=YESTERDAY)]})
    assert bucket.storage_class("a") == "GLACIER"
    [record] = wait_for_message(sqs, url)["Records"]
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("LifecycleTransition", "a")
    sqs.delete_queue(QueueUrl=url)
