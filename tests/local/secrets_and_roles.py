"""Secrets, and clients of roles that may do no more than a test says."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from helpers.local_aws import LocalAws

REGION = "us-east-1"


@pytest.fixture
def client_of_role(local_aws: LocalAws, make_client: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """`client_of_role("ssm", statement, ...)`: a client of a new role with these statements."""
    iam, sts = make_client("iam"), make_client("sts")
    account_id = sts.get_caller_identity()["Account"]
    names: list[str] = []

    def make(service: str, *statements: dict[str, Any]) -> Any:
        name = f"test-reader-{uuid.uuid4().hex[:8]}"
        names.append(name)
        trust = {"Effect": "Allow", "Principal": {"AWS": account_id}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="test", PolicyDocument=_policy(*statements))
        credentials = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=local_aws.endpoint_url,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )

    yield make
    for name in names:
        iam.delete_role_policy(RoleName=name, PolicyName="test")
        iam.delete_role(RoleName=name)


@pytest.fixture
def make_secret(make_client: Callable[..., Any]) -> Iterator[Callable[..., str]]:
    """`make_secret(SecretString="x")`: the ARN of a new secret; keywords go to CreateSecret."""
    secrets = make_client("secretsmanager")
    arns: list[str] = []

    def make(**parameters: Any) -> str:
        arns.append(secrets.create_secret(Name=f"test/{uuid.uuid4().hex[:8]}", **parameters)["ARN"])
        return arns[-1]

    yield make
    for arn in arns:
        secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@pytest.fixture
def customer_key(make_client: Callable[..., Any]) -> str:
    """ARN of a customer managed key with the default key policy."""
    return str(make_client("kms").create_key()["KeyMetadata"]["Arn"])


def allow(actions: str | list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
