"""Who may invoke a function from outside its account: whom its policy allows, and from its own Region."""

import json
import secrets
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from deployed import DeployedFunction

from helpers.local_aws import LocalAws

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"


def denied(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error: dict[str, str] = refused.value.response["Error"]
    assert error["Code"] == "AccessDeniedException"
    return error["Message"]


def test_another_account_invokes_by_arn_when_the_policy_allows(
    deploy: Callable[..., DeployedFunction], make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Granting Lambda function access to other accounts"."""
    function = deploy("def handler(event, context):\n    return context.invoked_function_arn\n")
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function.name}"
    foreign = make_client("lambda", account=OTHER_ACCOUNT)
    message = denied(foreign.invoke, FunctionName=arn)
    assert f"arn:aws:iam::{OTHER_ACCOUNT}:root is not authorized to perform: lambda:InvokeFunction" in message
    assert message.endswith("because no resource-based policy allows the lambda:InvokeFunction action")
    function.client.add_permission(
        FunctionName=function.name,
        StatementId="other-account",
        Action="lambda:InvokeFunction",
        Principal=OTHER_ACCOUNT,
    )
    answer = foreign.invoke(FunctionName=arn)
    assert json.loads(answer["Payload"].read()) == arn
    assert foreign.invoke(FunctionName=arn, InvocationType="Event")["StatusCode"] == 202
    denied(foreign.get_function, FunctionName=arn)
    denied(foreign.invoke, FunctionName=arn, Qualifier="live")


def test_a_user_of_another_account_needs_a_policy_of_its_own_too(
    deploy: Callable[..., DeployedFunction], make_client: Callable[..., Any], local_aws: LocalAws
) -> None:
    """IAM user guide, "Cross-account policy evaluation logic": both sides must allow."""
    function = deploy("def handler(event, context):\n    return 'invoked'\n")
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function.name}"
    function.client.add_permission(
        FunctionName=function.name,
        StatementId="other-account",
        Action="lambda:InvokeFunction",
        Principal=OTHER_ACCOUNT,
    )
    iam, name = make_client("iam", account=OTHER_ACCOUNT), f"caller-{secrets.token_hex(4)}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    client = boto3.client(
        "lambda",
        region_name="us-east-1",
        endpoint_url=local_aws.endpoint_url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    denied(client.invoke, FunctionName=arn)
    allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName=name, PolicyName="invoke", PolicyDocument=policy)
    assert json.loads(client.invoke(FunctionName=arn)["Payload"].read()) == "invoked"


def test_accounts_of_an_organization_invoke_by_its_id(
    deploy: Callable[..., DeployedFunction], make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Granting Lambda function access to an organization": PrincipalOrgID."""
    organizations = make_client("organizations")
    organization_id = organizations.describe_organization()["Organization"]["Id"]
    created = organizations.create_account(Email="member@example.com", AccountName="member")
    status = created["CreateAccountStatus"]
    member_id = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])[
        "CreateAccountStatus"
    ]["AccountId"]
    function = deploy("def handler(event, context):\n    return 'invoked'\n")
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function.name}"
    function.client.add_permission(
        FunctionName=function.name,
        StatementId="organization",
        Action="lambda:InvokeFunction",
        Principal="*",
        PrincipalOrgID=organization_id,
    )
    member = make_client("lambda", account=member_id)
    assert json.loads(member.invoke(FunctionName=arn)["Payload"].read()) == "invoked"
    denied(make_client("lambda", account=OTHER_ACCOUNT).invoke, FunctionName=arn)


def test_a_function_of_another_region_is_not_reachable(
    deploy: Callable[..., DeployedFunction], make_client: Callable[..., Any]
) -> None:
    """Developer guide, "Lambda function name formats": an ARN names the Region of the endpoint."""
    function = deploy("def handler(event, context):\n    return 'invoked'\n")
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function.name}"
    with pytest.raises(ClientError) as refused:
        make_client("lambda", region="eu-west-1").invoke(FunctionName=arn)
    assert refused.value.response["Error"]["Message"] == (
        "Functions from 'us-east-1' are not reachable in this region ('eu-west-1')"
    )
