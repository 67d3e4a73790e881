"""Log groups are exported to buckets, as far as the bucket's policy lets CloudWatch Logs.

AWS: CloudWatch Logs user guide, "Exporting log data to Amazon S3"; API reference, "CreateExportTask",
"DescribeExportTasks" and "CancelExportTask".
"""

import gzip
import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from deployed import DeployedFunction

from helpers.waiting import wait_until

HOUR_MS = 3_600_000
REGION = "us-east-1"
ACCOUNT_ID = "111122223333"
OTHER_ACCOUNT_ID = "444455556666"
SERVICE = f"logs.{REGION}.amazonaws.com"
# A task is created and cancelled within the second that it is pending, unless the machine is very slow.
ATTEMPTS = 5


@dataclass
class Export:
    """A log group with an event in each of two streams, and a bucket to which it may be exported."""

    logs: Any
    s3: Any
    group: str
    bucket: str
    now_ms: int

    def allow(self, *statements: dict[str, Any]) -> None:
        policy = {"Version": "2012-10-17", "Statement": list(statements) or self.statements()}
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))

    def statements(self, **condition: dict[str, Any]) -> list[dict[str, Any]]:
        """As in the user guide's step "Set permissions on an S3 bucket"."""
        source_arn = f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:{self.group}:*"
        conditions = {
            "StringEquals": {"aws:SourceAccount": [ACCOUNT_ID]},
            "ArnLike": {"aws:SourceArn": [source_arn]},
        } | condition
        principal = {"Service": SERVICE}
        bucket_arn = f"arn:aws:s3:::{self.bucket}"
        put_conditions = {
            **conditions,
            "StringEquals": conditions["StringEquals"] | {"s3:x-amz-acl": "bucket-owner-full-control"},
        }
        return [
            {
                "Effect": "Allow",
                "Action": "s3:GetBucketAcl",
                "Principal": principal,
                "Resource": bucket_arn,
                "Condition": conditions,
            },
            {
                "Effect": "Allow",
                "Action": "s3:PutObject",
                "Principal": principal,
                "Resource": f"{bucket_arn}/*",
                "Condition": put_conditions,
            },
        ]

    def parameters(self, **changed: Any) -> dict[str, Any]:
        times = {"fromTime": self.now_ms - HOUR_MS, "to": self.now_ms + HOUR_MS}
        return {"logGroupName": self.group, "destination": self.bucket} | times | changed

    def create(self, **changed: Any) -> str:
        return str(self.logs.create_export_task(**self.parameters(**changed))["taskId"])

    def refused(self, **changed: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as refused:
            self.create(**changed)
        error = refused.value.response["Error"]
        return error["Code"], error["Message"]

    def described(self, task_id: str) -> dict[str, Any]:
        [task] = self.logs.describe_export_tasks(taskId=task_id)["exportTasks"]
        return dict(task)

    def ended(self, task_id: str) -> dict[str, Any]:
        return wait_until(
            lambda: self.described(task_id),
            f"the end of task {task_id}",
            lambda task: task["status"]["code"] not in ("PENDING", "RUNNING"),
        )

    def object_keys(self) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def lines(self, key: str) -> list[str]:
        content = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return gzip.decompress(content).decode().splitlines()


@pytest.fixture
def export(make_client: Callable[..., Any]) -> Iterator[Export]:
    """Its tasks have ended when a test is over: an account has only one active task at a time."""
    logs, s3 = make_client("logs"), make_client("s3")
    name = secrets.token_hex(4)
    made = Export(logs, s3, f"/test/export-{name}", f"exported-{name}", int(time.time() * 1000))
    logs.create_log_group(logGroupName=made.group)
    for stream, message in (("web/1", "first"), ("web/2", "second, é")):
        names = {"logGroupName": made.group, "logStreamName": stream}
        logs.create_log_stream(**names)
        logs.put_log_events(**names, logEvents=[{"timestamp": made.now_ms, "message": message}])
    s3.create_bucket(Bucket=made.bucket)
    yield made
    for task in logs.describe_export_tasks()["exportTasks"]:
        if task["destination"] == made.bucket:
            made.ended(task["taskId"])
    for key in made.object_keys():
        s3.delete_object(Bucket=made.bucket, Key=key)
    s3.delete_bucket(Bucket=made.bucket)
    logs.delete_log_group(logGroupName=made.group)


def test_each_stream_becomes_a_file_with_a_line_for_each_event(export: Export) -> None:
    export.allow()
    task_id = export.create(destinationPrefix="archive/2026")
    task = export.ended(task_id)
    assert task["status"] == {"code": "COMPLETED", "message": "Completed successfully"}
    files = [f"archive/2026/{task_id}/web-{number}/000000.gz" for number in (1, 2)]
    assert set(export.object_keys()) == {"archive/2026/aws-logs-write-test", *files}
    written_at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(export.now_ms // 1000))
    stamp = f"{written_at}.{export.now_ms % 1000:03d}Z"
    assert [export.lines(file) for file in files] == [[f"{stamp} first"], [f"{stamp} second, é"]]


def test_a_task_is_described_with_what_it_was_created_with(export: Export) -> None:
    export.allow()
    task_id = export.create(taskName="nightly")
    created = export.described(task_id)
    assert created["status"]["code"] in ("PENDING", "RUNNING")
    assert "completionTime" not in created["executionInfo"]
    task = export.ended(task_id)
    assert {name: task[name] for name in ("taskName", "logGroupName", "destination", "from", "to")} == {
        "taskName": "nightly",
        "logGroupName": export.group,
        "destination": export.bucket,
        "from": export.now_ms - HOUR_MS,
        "to": export.now_ms + HOUR_MS,
    }
    assert task["destinationPrefix"] == "exportedlogs"
    execution = task["executionInfo"]
    assert export.now_ms <= execution["creationTime"] < execution["completionTime"]


def test_only_events_of_the_time_range_and_streams_of_the_prefix(export: Export) -> None:
    """`from`, `to` and `logStreamNamePrefix`: both times are included."""
    export.allow()
    # Later than the log group was created, as `to` must be.
    start_ms = export.now_ms + 60_000
    names = {"logGroupName": export.group, "logStreamName": "web/1"}
    events = [{"timestamp": start_ms + offset, "message": f"{offset}"} for offset in (1, 2, 3)]
    export.logs.put_log_events(**names, logEvents=events)
    task_id = export.create(logStreamNamePrefix="web/1", fromTime=start_ms + 1, to=start_ms + 2)
    assert export.ended(task_id)["status"]["code"] == "COMPLETED"
    file = f"exportedlogs/{task_id}/web-1/000000.gz"
    assert set(export.object_keys()) == {"exportedlogs/aws-logs-write-test", file}
    assert [line.split()[1] for line in export.lines(file)] == ["1", "2"]


def test_the_logs_of_a_function_are_exported(export: Export, deploy: Callable[..., DeployedFunction]) -> None:
    """Names of Lambda's log streams have slashes and brackets."""
    export.allow(*export.statements(ArnLike={"aws:SourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:*"}))
    function = deploy("def handler(event, context):\n    print('hello')")
    function.invoke()
    task_id = export.create(logGroupName=f"/aws/lambda/{function.name}")
    assert export.ended(task_id)["status"]["code"] == "COMPLETED"
    [key] = [key for key in export.object_keys() if key.endswith(".gz")]
    _, _, stream, file = key.split("/")
    assert file == "000000.gz"
    assert "-[$LATEST]" in stream
    messages = [line.partition(" ")[2] for line in export.lines(key)]
    assert "hello" in messages
    assert messages[-1].startswith("REPORT RequestId: ")


def test_without_permission_nothing_is_exported(export: Export) -> None:
    """The service principal of the Region needs s3:GetBucketAcl and s3:PutObject."""
    code, message = export.refused()
    assert code == "InvalidParameterException"
    assert message == (
        "GetBucketAcl call on the given bucket failed. Please check if CloudWatch Logs has been granted "
        "permission to perform this operation."
    )
    export.allow(export.statements()[0])
    code, message = export.refused()
    assert code == "InvalidParameterException"
    assert message.startswith("PutObject call on the given bucket failed.")
    assert export.object_keys() == []


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:SourceAccount": [OTHER_ACCOUNT_ID]}},
        {"ArnLike": {"aws:SourceArn": [f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:/another:*"]}},
    ],
)
def test_conditions_on_the_source_are_honoured(export: Export, condition: dict[str, Any]) -> None:
    """User guide: aws:SourceAccount and aws:SourceArn of the log group, against a confused deputy."""
    export.allow(*export.statements(**condition))
    code, message = export.refused()
    assert code == "InvalidParameterException"
    assert message.startswith("GetBucketAcl call on the given bucket failed.")


def test_a_denied_prefix_is_not_written_to(export: Export) -> None:
    denied = {
        "Effect": "Deny",
        "Action": "s3:PutObject",
        "Principal": "*",
        "Resource": f"arn:aws:s3:::{export.bucket}/private/*",
    }
    export.allow(*export.statements(), denied)
    assert export.refused(destinationPrefix="private")[0] == "InvalidParameterException"
    export.ended(export.create())


def test_a_policy_that_changes_meanwhile_fails_the_task(export: Export) -> None:
    export.allow()
    for _ in range(ATTEMPTS):
        task_id = export.create()
        export.allow(export.statements()[0])
        task = export.ended(task_id)
        if task["status"]["code"] == "FAILED":
            break
        export.allow()
    assert task["status"]["code"] == "FAILED"
    assert task["status"]["message"].startswith("PutObject call on the given bucket failed.")


def test_the_caller_must_be_allowed_to_write_as_well(export: Export, make_client: Callable[..., Any]) -> None:
    """User guide, "Exporting log data to Amazon S3": callers need s3:PutObject on the bucket."""
    export.allow()
    iam = make_client("iam")
    user = f"exporter-{secrets.token_hex(4)}"
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    client = boto3.client(
        "logs",
        region_name=REGION,
        endpoint_url=export.logs.meta.endpoint_url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )

    def permit(*actions: str) -> None:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=user, PolicyName="export", PolicyDocument=policy)

    permit("logs:*")
    with pytest.raises(ClientError, match="granted s3:PutObject access to the bucket"):
        client.create_export_task(**export.parameters())
    permit("logs:*", "s3:PutObject")
    export.ended(client.create_export_task(**export.parameters())["taskId"])
    iam.delete_user_policy(UserName=user, PolicyName="export")
    iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=user)


def test_an_account_has_one_active_task_at_a_time(export: Export) -> None:
    """LimitExceededException until the task is COMPLETED, CANCELLED or FAILED."""
    export.allow()
    for _ in range(ATTEMPTS):
        task_id = export.create()
        try:
            second = export.create()
        except ClientError as error:
            assert error.response["Error"]["Code"] == "LimitExceededException"
            break
        assert export.described(task_id)["status"]["code"] == "COMPLETED"
        export.ended(second)
    else:
        raise AssertionError("a task had always ended before the next one was created")
    export.ended(task_id)
    export.ended(export.create())


def test_a_pending_task_can_be_cancelled(export: Export) -> None:
    export.allow()
    for _ in range(ATTEMPTS):
        task_id = export.create()
        try:
            export.logs.cancel_export_task(taskId=task_id)
            break
        except export.logs.exceptions.InvalidOperationException:
            assert export.described(task_id)["status"]["code"] == "COMPLETED"
    assert export.described(task_id)["status"]["code"] == "CANCELLED"
    assert "completionTime" in export.described(task_id)["executionInfo"]
    cancelled = export.logs.describe_export_tasks(statusCode="CANCELLED")["exportTasks"]
    assert task_id in [task["taskId"] for task in cancelled]
    # It is not active any more, and what has ended cannot be cancelled.
    next_id = export.create()
    export.ended(next_id)
    for ended in (task_id, next_id):
        with pytest.raises(export.logs.exceptions.InvalidOperationException):
            export.logs.cancel_export_task(taskId=ended)


def test_tasks_are_listed_newest_first(export: Export) -> None:
    export.allow()
    ids = []
    for _ in range(2):
        ids.append(export.create())
        export.ended(ids[-1])
    first = export.logs.describe_export_tasks(limit=1)
    second = export.logs.describe_export_tasks(limit=1, nextToken=first["nextToken"])
    listed = [page["exportTasks"][0]["taskId"] for page in (first, second)]
    assert listed == ids[::-1]


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ({"logGroupName": "/nowhere"}, "ResourceNotFoundException", "log group does not exist"),
        ({"fromTime": 2, "to": 1}, "InvalidParameterException", "time range is invalid"),
        ({"fromTime": 0, "to": 1}, "InvalidParameterException", "before the creation of the log group"),
        ({"destination": "no-such-bucket-anywhere"}, "InvalidParameterException", "GetBucketAcl"),
    ],
)
def test_requests_that_mean_nothing(export: Export, changed: dict[str, Any], code: str, message: str) -> None:
    export.allow()
    found_code, found_message = export.refused(**changed)
    assert found_code == code
    assert message in found_message


def test_log_groups_of_infrequent_access_cannot_be_exported(export: Export) -> None:
    """User guide, "Log classes": exporting to Amazon S3 is for the Standard class only."""
    export.allow()
    name = f"{export.group}-cheap"
    export.logs.create_log_group(logGroupName=name, logGroupClass="INFREQUENT_ACCESS")
    assert export.refused(logGroupName=name)[0] == "InvalidParameterException"
    export.logs.delete_log_group(logGroupName=name)


def test_the_bucket_must_be_in_the_same_region(export: Export, make_client: Callable[..., Any]) -> None:
    s3 = make_client("s3", region="eu-west-1")
    bucket = f"{export.bucket}-abroad"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    statements = json.loads(json.dumps(export.statements()).replace(export.bucket, bucket))
    policy = {"Version": "2012-10-17", "Statement": statements}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    code, message = export.refused(destination=bucket)
    assert code == "InvalidParameterException"
    assert "same Region" in message
    s3.delete_bucket(Bucket=bucket)


def test_a_bucket_of_another_account_whose_policy_allows(
    export: Export, make_client: Callable[..., Any]
) -> None:
    """User guide, "Cross-account export": the policy names the service and the caller."""
    s3 = make_client("s3", account=OTHER_ACCOUNT_ID)
    bucket = f"{export.bucket}-theirs"
    s3.create_bucket(Bucket=bucket)
    statements = json.loads(json.dumps(export.statements()).replace(export.bucket, bucket))
    caller = {**statements[1], "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}, "Condition": {}}

    def allow(*given: dict[str, Any]) -> None:
        policy = json.dumps({"Version": "2012-10-17", "Statement": given})
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)

    allow(*statements)
    assert "granted s3:PutObject access" in export.refused(destination=bucket)[1]
    allow(*statements, caller)
    task_id = export.create(destination=bucket)
    assert export.ended(task_id)["status"]["code"] == "COMPLETED"
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert f"exportedlogs/{task_id}/web-1/000000.gz" in keys
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_bucket(Bucket=bucket)
