"""Clients with which the local AWS calls its own API, as a role or as an account."""

import os
import threading
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

# Making a client is not safe for threads that share a session.
_lock = threading.Lock()


@cache
def _session() -> boto3.Session:
    return boto3.Session()


def client(service: str, region: str, credentials: dict[str, str]) -> Any:
    """A client for the local AWS; `credentials` are named as in the environment of a function."""
    with _lock:
        return _session().client(
            service,
            region_name=region,
            endpoint_url=os.environ["AWS_ENDPOINT_URL"],
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials.get("AWS_SESSION_TOKEN") or None,
            config=Config(
                retries={"total_max_attempts": 2}, inject_host_prefix=False, s3={"addressing_style": "path"}
            ),
        )


def queue_url(queue_arn: str) -> str:
    account_id, name = queue_arn.split(":")[4:6]
    return f"{os.environ['AWS_ENDPOINT_URL']}/{account_id}/{name}"
