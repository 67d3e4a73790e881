"""REST APIs by CloudFormation: what is refused fails the stack, and what is deployed is served.

CloudFormation user guide, AWS::ApiGateway::RestApi, AWS::ApiGateway::Method, AWS::ApiGateway::Deployment and
AWS::ApiGateway::Stage.
"""

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import WaiterError
from rest_apis import STAGE, call, create_role

from helpers.local_aws import LocalAws

OK = '{"statusCode": 200}'
JSON = "application/json"


def wait(cloudformation: Any, event: str, name: str) -> None:
    waiter = cloudformation.get_waiter(f"stack_{event}_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ("Method", "integrate with s3:path"),
        ("Api", "compress the responses"),
        ("Stage", "write the execution log"),
    ],
)
def test_cloudformation_fails_what_is_refused(
    make_client: Callable[..., Any], changed: str, reason: str
) -> None:
    """CloudFormation user guide, AWS::ApiGateway::Method, ...::RestApi, ...::Stage."""
    cloudformation, name = make_client("cloudformation"), f"api-{secrets.token_hex(4)}"
    integration = {
        "Type": "AWS",
        "IntegrationHttpMethod": "POST",
        "Uri": "arn:aws:apigateway:us-east-1:s3:path/bucket",
        "Credentials": "arn:aws:iam::111122223333:role/any",
    }
    logging = {"ResourcePath": "/*", "HttpMethod": "*", "LoggingLevel": "INFO"}
    refused: dict[str, dict[str, Any]] = {
        "Method": {"Integration": integration},
        "Api": {"MinimumCompressionSize": 0},
        "Stage": {"MethodSettings": [logging]},
    }
    api = {"RestApiId": {"Ref": "Api"}}
    method = {
        "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
        "HttpMethod": "GET",
        "AuthorizationType": "NONE",
        "Integration": {"Type": "MOCK"},
    }
    stage = {"DeploymentId": {"Ref": "Deployment"}, "StageName": "test"}
    resources: dict[str, dict[str, Any]] = {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": name}},
        "Method": {"Type": "AWS::ApiGateway::Method", "Properties": api | method},
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": "Method",
            "Properties": api,
        },
        "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": api | stage},
    }
    resources[changed]["Properties"] |= refused[changed]
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    with pytest.raises(WaiterError):
        wait(cloudformation, "create", name)
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    reasons = " ".join(event.get("ResourceStatusReason", "") for event in events)
    assert reason in reasons
    cloudformation.delete_stack(StackName=name)


def test_what_cloudformation_configures_is_served(
    make_client: Callable[..., Any], local_aws: LocalAws
) -> None:
    """CloudFormation user guide, AWS::ApiGateway::Method: an integration with DynamoDB."""
    name = f"api-{secrets.token_hex(4)}"
    scan = {"Effect": "Allow", "Action": "dynamodb:ListTables", "Resource": "*"}
    integration = {
        "Type": "AWS",
        "IntegrationHttpMethod": "POST",
        "Uri": "arn:aws:apigateway:us-east-1:dynamodb:action/ListTables",
        "Credentials": create_role(make_client, name, scan),
        "RequestTemplates": {"application/json": "{}"},
        "IntegrationResponses": [
            {"StatusCode": 200, "ResponseTemplates": {"application/json": "$input.json('$.TableNames')"}}
        ],
    }
    resources = {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": name}},
        "Method": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                "HttpMethod": "GET",
                "AuthorizationType": "NONE",
                "Integration": integration,
                "MethodResponses": [{"StatusCode": 200}],
            },
        },
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": "Method",
            "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "test"},
        },
    }
    cloudformation = make_client("cloudformation")
    template = {"Resources": resources, "Outputs": {"Id": {"Value": {"Ref": "Api"}}}}
    cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template))
    wait(cloudformation, "create", name)
    (output,) = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    reply = call(f"{local_aws.endpoint_url}/_aws/execute-api/{output['OutputValue']}/test/", "GET")
    assert reply.status == 200
    assert isinstance(reply.document, list)
    cloudformation.delete_stack(StackName=name)


def template_of(text: str, deployment: str, **of_deployment: Any) -> str:
    api = {"RestApiId": {"Ref": "Api"}}
    response = {"StatusCode": "200", "ResponseTemplates": {JSON: text}}
    method = {
        "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
        "HttpMethod": "GET",
        "AuthorizationType": "NONE",
        "Integration": {
            "Type": "MOCK",
            "RequestTemplates": {JSON: OK},
            "IntegrationResponses": [response],
        },
        "MethodResponses": [{"StatusCode": "200"}],
    }
    stage = {"StageName": STAGE, "DeploymentId": {"Ref": deployment}}
    resources = {
        # The deployment stands first: only DependsOn says that it comes after the method.
        deployment: {"Type": "AWS::ApiGateway::Deployment", "Properties": api, **of_deployment},
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "deployed"}},
        "Method": {"Type": "AWS::ApiGateway::Method", "Properties": api | method},
        "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": api | stage},
    }
    return json.dumps({"Resources": resources, "Outputs": {"Id": {"Value": {"Ref": "Api"}}}})


def test_cloudformation_deploys_after_what_the_deployment_depends_on(
    make_client: Callable[..., Any], local_aws: LocalAws
) -> None:
    """AWS::ApiGateway::Deployment: a deployment depends on the methods; a changed
    API is deployed by a deployment of another logical ID."""
    cloudformation, gateway = make_client("cloudformation"), make_client("apigateway")
    name = f"api-{secrets.token_hex(4)}"
    ordered = {"DependsOn": "Method"}
    cloudformation.create_stack(StackName=name, TemplateBody=template_of("first", "Deployment1", **ordered))
    wait(cloudformation, "create", name)
    (output,) = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    api_id = output["OutputValue"]
    url = f"{local_aws.endpoint_url}/_aws/execute-api/{api_id}/{STAGE}/"
    assert call(url, "GET").text == "first"
    served = []
    for deployment in ("Deployment1", "Deployment2"):
        cloudformation.update_stack(
            StackName=name, TemplateBody=template_of(f"with {deployment}", deployment, **ordered)
        )
        wait(cloudformation, "update", name)
        served.append(call(url, "GET").text)
    assert served == ["first", "with Deployment2"]
    assert len(gateway.get_deployments(restApiId=api_id)["items"]) == 1
    cloudformation.delete_stack(StackName=name)
    wait(cloudformation, "delete", name)
    assert call(url, "GET").status == 404


def test_cloudformation_fails_a_deployment_that_comes_before_the_methods(
    make_client: Callable[..., Any],
) -> None:
    cloudformation, name = make_client("cloudformation"), f"api-{secrets.token_hex(4)}"
    cloudformation.create_stack(StackName=name, TemplateBody=template_of("first", "Deployment"))
    with pytest.raises(WaiterError):
        wait(cloudformation, "create", name)
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    assert any("contain any methods" in event.get("ResourceStatusReason", "") for event in events)
    cloudformation.delete_stack(StackName=name)
