"""Who may invoke a function and wait for it: APIs, load balancers and user pools with a permission."""

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import websocket
from botocore.exceptions import ClientError
from probed_functions import ACCOUNT, WAIT_S, Probe

from helpers.local_aws import LocalAws


def get(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def integration_uri(function_arn: str) -> str:
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function_arn}/invocations"


def test_a_rest_api_needs_a_permission_for_its_method(
    probe: Probe, make_client: Callable[..., Any], local_aws: LocalAws
) -> None:
    """Lambda developer guide, "Invoking a Lambda function using an Amazon API Gateway endpoint"."""
    gateway = make_client("apigateway")
    api = gateway.create_rest_api(name="rest")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    orders = gateway.create_resource(restApiId=api, parentId=root, pathPart="orders")["id"]
    method = {"restApiId": api, "resourceId": orders, "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE")
    uri = integration_uri(probe.arn)
    gateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api, stageName="test")
    url = f"{local_aws.endpoint_url}/_aws/execute-api/{api}/test/orders"
    source = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{api}"

    assert get(url) == (500, '{"message": "Internal server error"}')
    probe.permit("apigateway.amazonaws.com", f"{source}/*/POST/orders")
    assert get(url)[0] == 500
    assert probe.was_not_invoked()
    probe.permit("apigateway.amazonaws.com", f"{source}/*/GET/orders")
    assert get(url) == (200, "invoked")


def test_a_rest_api_may_invoke_with_a_role_instead(
    probe: Probe, make_client: Callable[..., Any], local_aws: LocalAws
) -> None:
    """API Gateway API reference, "PutIntegration": credentials."""
    gateway, iam = make_client("apigateway"), make_client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    name = f"gateway-{secrets.token_hex(4)}"
    role_arn = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    api = gateway.create_rest_api(name="rest")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    method = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE")
    uri = integration_uri(probe.arn)
    gateway.put_integration(
        **method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri, credentials=role_arn
    )
    gateway.create_deployment(restApiId=api, stageName="test")
    url = f"{local_aws.endpoint_url}/_aws/execute-api/{api}/test/"
    assert get(url)[0] == 500
    allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": probe.arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="invoke", PolicyDocument=policy)
    assert get(url) == (200, "invoked")


def test_an_http_api_and_its_authorizer_need_permissions(
    probe: Probe, make_client: Callable[..., Any], local_aws: LocalAws
) -> None:
    """API Gateway developer guide, "Control access to HTTP APIs with AWS Lambda authorizers"."""
    gateway = make_client("apigatewayv2")
    api = gateway.create_api(Name="http", ProtocolType="HTTP")["ApiId"]
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=probe.arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    authorizer = gateway.create_authorizer(
        ApiId=api,
        Name="probe",
        AuthorizerType="REQUEST",
        AuthorizerUri=integration_uri(probe.arn),
        IdentitySource=["$request.header.Authorization"],
        AuthorizerPayloadFormatVersion="2.0",
        EnableSimpleResponses=True,
    )["AuthorizerId"]
    gateway.create_route(
        ApiId=api,
        RouteKey="GET /orders",
        Target=f"integrations/{integration}",
        AuthorizationType="CUSTOM",
        AuthorizerId=authorizer,
    )
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    url = f"{local_aws.endpoint_url}/_aws/execute-api/{api}/$default/orders"
    source = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{api}"

    assert get(url, Authorization="x") == (500, '{"message": "Internal Server Error"}')
    probe.permit("apigateway.amazonaws.com", f"{source}/authorizers/{authorizer}")
    assert get(url, Authorization="x")[0] == 500
    assert probe.event()["type"] == "REQUEST"
    assert probe.was_not_invoked()
    probe.permit("apigateway.amazonaws.com", f"{source}/*/*/orders")
    assert get(url, Authorization="x") == (200, "invoked")


def test_a_websocket_route_needs_a_permission(
    probe: Probe, make_client: Callable[..., Any], local_aws: LocalAws
) -> None:
    """API Gateway developer guide, "Overview of WebSocket APIs": an error frame names the connection."""
    gateway = make_client("apigatewayv2")
    api = gateway.create_api(
        Name="ws", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    integration = gateway.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=integration_uri(probe.arn)
    )["IntegrationId"]
    route = gateway.create_route(ApiId=api, RouteKey="say", Target=f"integrations/{integration}")["RouteId"]
    gateway.create_route_response(ApiId=api, RouteId=route, RouteResponseKey="$default")
    gateway.create_stage(ApiId=api, StageName="test", AutoDeploy=True)
    url = local_aws.endpoint_url.replace("http", "ws") + f"/_aws/execute-api/{api}/test"
    connection = websocket.create_connection(url, timeout=WAIT_S)
    try:
        connection.send('{"action": "say"}')
        assert json.loads(connection.recv())["message"] == "Internal server error"
        source = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:{api}/*/say"
        probe.permit("apigateway.amazonaws.com", source)
        connection.send('{"action": "say"}')
        assert connection.recv() == "invoked"
    finally:
        connection.close()
    assert probe.event()["body"] == '{"action": "say"}'
    # The route runs functions like any other caller: with a log of its own.
    streams = make_client("logs").describe_log_streams(logGroupName=f"/aws/lambda/{probe.function.name}")
    assert streams["logStreams"]


def test_a_load_balancer_needs_a_permission_for_its_target_group(
    probe: Probe, make_client: Callable[..., Any], local_aws: LocalAws
) -> None:
    """Elastic Load Balancing, "Use Lambda functions as targets": permissions to invoke the function."""
    balancing, name = make_client("elbv2"), f"lb-{secrets.token_hex(4)}"
    group = balancing.create_target_group(Name=name, TargetType="lambda")["TargetGroups"][0]["TargetGroupArn"]
    request = {"TargetGroupArn": group, "Targets": [{"Id": probe.arn}]}
    with pytest.raises(ClientError) as refused:
        balancing.register_targets(**request)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    client, function = probe.function.client, {"FunctionName": probe.function.name}
    client.add_permission(
        **function,
        StatementId="group",
        Action="lambda:InvokeFunction",
        Principal="elasticloadbalancing.amazonaws.com",
        SourceArn=group,
    )
    balancing.register_targets(**request)
    balancer = balancing.create_load_balancer(Name=name)["LoadBalancers"][0]["LoadBalancerArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    balancing.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)
    url = f"{local_aws.endpoint_url}/_alb/{name}/"
    assert get(url) == (200, "invoked")
    assert probe.event()["path"] == "/"
    client.remove_permission(**function, StatementId="group")
    assert get(url)[0] == 502
    assert probe.was_not_invoked()


def test_a_user_pool_trigger_needs_a_permission(probe: Probe, make_client: Callable[..., Any]) -> None:
    """Cognito developer guide, "Customizing user pool workflows with Lambda triggers"."""
    cognito = make_client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="pool", LambdaConfig={"PreSignUp": probe.arn})["UserPool"]
    client = cognito.create_user_pool_client(UserPoolId=pool["Id"], ClientName="app")["UserPoolClient"]
    user = {"ClientId": client["ClientId"], "Username": "ada", "Password": "Correct-Horse-1"}
    with pytest.raises(ClientError):
        cognito.sign_up(**user)
    assert probe.was_not_invoked()
    probe.permit("cognito-idp.amazonaws.com", pool["Arn"])
    cognito.sign_up(**user)
    assert probe.event()["triggerSource"] == "PreSignUp_SignUp"
