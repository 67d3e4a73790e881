"""One local AWS for the whole test run, and clients for it."""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from helpers import local_aws as local_aws_module
from helpers.local_aws import LocalAws

REGION = "us-east-1"
ACCOUNT_ID = "111122223333"


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests write no log and no ledger into the reader's own cache directory."""
    previous = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    yield
    if previous is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = previous


@pytest.fixture(scope="session")
def local_aws(private_cache: None) -> Iterator[LocalAws]:
    """A local AWS that enforces IAM, shared by all tests: give resources names of their own."""
    running = local_aws_module.start(account_id=ACCOUNT_ID)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def make_client(local_aws: LocalAws) -> Callable[..., Any]:
    """`make_client("lambda", region=..., account=...)`: a boto3 client of that account's root user."""

    def make(service: str, region: str = REGION, account: str = ACCOUNT_ID, **config: Any) -> Any:
        # A proxy of the reader's must not see requests to this machine.
        settings = {
            "proxies": {},
            "inject_host_prefix": False,
            "retries": {"total_max_attempts": 1},
            "read_timeout": 120,
        }
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=local_aws.endpoint_url,
            aws_access_key_id=account,
            aws_secret_access_key=local_aws_module.SECRET_ACCESS_KEY,
            config=Config(**{**settings, **config}),
        )

    return make


@pytest.fixture(scope="session")
def lambda_role(make_client: Callable[..., Any]) -> str:
    """ARN of a role that functions can assume and that may write logs."""
    iam = make_client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    role = iam.create_role(RoleName="test-functions", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.attach_role_policy(
        RoleName="test-functions",
        PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    )
    return str(role["Arn"])
