"""The end of an export task is waited for, and a task that fails is an error."""

import json
import time

import pytest

from helpers.log_exports import NotExported, wait_for_export
from helpers.workshop import Workshop


def start_export(workshop: Workshop) -> str:
    """ID of a task that exports one event to a bucket; both are named "logs"."""
    logs, s3, name = workshop.client("logs"), workshop.client("s3"), workshop.name("logs")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="stream")
    now_ms = int(time.time() * 1000)
    event = {"timestamp": now_ms, "message": "a line"}
    logs.put_log_events(logGroupName=name, logStreamName="stream", logEvents=[event])
    s3.create_bucket(Bucket=name)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
        "Action": ["s3:GetBucketAcl", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=name, Policy=policy)
    times = {"fromTime": now_ms - 60_000, "to": now_ms + 1}
    return str(logs.create_export_task(logGroupName=name, destination=name, **times)["taskId"])


def test_when_it_returns_the_objects_are_there(workshop: Workshop) -> None:
    wait_for_export(workshop.client("logs"), start_export(workshop), timeout_s=30)
    found = workshop.client("s3").list_objects_v2(Bucket=workshop.name("logs"))["Contents"]
    assert any(each["Key"].endswith(".gz") for each in found)


def test_a_task_that_is_cancelled_is_an_error(workshop: Workshop) -> None:
    logs = workshop.client("logs")
    task_id = start_export(workshop)
    logs.cancel_export_task(taskId=task_id)
    with pytest.raises(NotExported, match=f"Export task {task_id} is CANCELLED"):
        wait_for_export(logs, task_id, timeout_s=30)
