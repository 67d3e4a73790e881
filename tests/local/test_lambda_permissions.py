"""Who may invoke a function: services with a permission, other accounts with a policy."""

import base64
import gzip
import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import websocket
from botocore.exceptions import ClientError
from deployed import DeployedFunction

from helpers.local_aws import LocalAws

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
WAIT_S = 15
# Enough for an event to arrive that must not arrive.
QUIET_S = 1.0

# Answers an API, and hands what it was given to a queue.
HANDLER = """
import json, os
import boto3

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(event))
    return {"statusCode": 200, "body": "invoked", "isAuthorized": True}
"""


class Probe:
    """A function, and the events that have reached it."""

    def __init__(self, function: DeployedFunction, sqs: Any, queue_url: str) -> None:
        self.function = function
        self.arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function.name}"
        self._sqs = sqs
        self._queue_url = queue_url

    def permit(self, service: str, source_arn: str | None = None, **parameters: Any) -> None:
        source = {"SourceArn": source_arn} if source_arn else {}
        self.function.client.add_permission(
            FunctionName=self.function.name,
            StatementId=f"s-{secrets.token_hex(4)}",
            Action="lambda:InvokeFunction",
            Principal=service,
            **source,
            **parameters,
        )

    def event(self) -> Any:
        message = self._receive(WAIT_S)
        assert message is not None, "the function was not invoked"
        return message

    def was_not_invoked(self) -> bool:
        return self._receive(QUIET_S) is None

    def _receive(self, wait_s: float) -> Any:
        deadline = time.monotonic() + wait_s
        while time.monotonic() < deadline:
            answer = self._sqs.receive_message(QueueUrl=self._queue_url, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                handle = message["ReceiptHandle"]
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=handle)
                return json.loads(message["Body"])
        return None


@pytest.fixture(scope="module")
def role(make_client: Callable[..., Any]) -> str:
    iam = make_client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    name = f"probe-{secrets.token_hex(4)}"
    arn = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": ["sqs:SendMessage", "logs:*"], "Resource": "*"}
    iam.put_role_policy(
        RoleName=name,
        PolicyName="send",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    return str(arn)


@pytest.fixture
def probe(deploy: Callable[..., DeployedFunction], make_client: Callable[..., Any], role: str) -> Probe:
    sqs = make_client("sqs")
    queue_url = sqs.create_queue(QueueName=f"probe-{secrets.token_hex(4)}")["QueueUrl"]
    variables = {"Variables": {"QUEUE_URL": queue_url}}
    return Probe(deploy(HANDLER, Role=role, Environment=variables), sqs, queue_url)


def dead_letter_queue(make_client: Callable[..., Any], service: str) -> tuple[Any, str, str]:
    sqs = make_client("sqs")
    name = f"dead-{secrets.token_hex(4)}"
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return sqs, url, arn


def sum_of(make_client: Callable[..., Any], namespace: str, metric: str, **dimensions: str) -> float:
    answer = make_client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=time.time() - 3600,
        EndTime=time.time() + 3600,
        Period=7200,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in answer["Datapoints"])


def test_eventbridge_needs_a_permission_for_the_rule(probe: Probe, make_client: Callable[..., Any]) -> None:
    """EventBridge user guide, "Using resource-based policies for Amazon EventBridge", Lambda
    permissions; "Using dead-letter queues ..."; "Monitoring Amazon EventBridge": FailedInvocations."""
    events, source = make_client("events"), f"test.{secrets.token_hex(4)}"
    sqs, dead_letters_url, dead_letters = dead_letter_queue(make_client, "events.amazonaws.com")
    rule = events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))["RuleArn"]
    target = {"Id": "probe", "Arn": probe.arn, "DeadLetterConfig": {"Arn": dead_letters}}
    events.put_targets(Rule=source, Targets=[target])
    entry = {"Source": source, "DetailType": "order", "Detail": json.dumps({"number": 1})}

    probe.permit("events.amazonaws.com", f"{rule}-of-another-name")
    events.put_events(Entries=[entry])
    assert probe.was_not_invoked()
    assert sum_of(make_client, "AWS/Events", "FailedInvocations", RuleName=source) == 1
    message = sqs.receive_message(
        QueueUrl=dead_letters_url, WaitTimeSeconds=WAIT_S, MessageAttributeNames=["All"]
    )["Messages"][0]
    assert json.loads(message["Body"])["detail"] == {"number": 1}
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert (attributes["ERROR_CODE"], attributes["RULE_ARN"]) == ("NO_PERMISSIONS", rule)
    assert attributes["TARGET_ARN"] == probe.arn

    probe.permit("events.amazonaws.com", rule)
    events.put_events(Entries=[entry])
    assert probe.event()["detail"] == {"number": 1}

    transformer = {"InputPathsMap": {"number": "$.detail.number"}, "InputTemplate": "Order <number> is here"}
    events.put_targets(Rule=source, Targets=[{**target, "InputTransformer": transformer}])
    events.put_events(Entries=[entry])
    assert probe.event() == "Order 1 is here"


def test_a_permission_counts_for_what_it_was_given_for(probe: Probe, make_client: Callable[..., Any]) -> None:
    """Developer guide, "Viewing resource-based IAM policies", versions and aliases: a policy each."""
    events, source = make_client("events"), f"test.{secrets.token_hex(4)}"
    client, name = probe.function.client, probe.function.name
    client.publish_version(FunctionName=name)
    client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    rule = events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))["RuleArn"]
    events.put_targets(Rule=source, Targets=[{"Id": "probe", "Arn": f"{probe.arn}:live"}])
    entry = {"Source": source, "DetailType": "order", "Detail": "{}"}
    probe.permit("events.amazonaws.com", rule)
    events.put_events(Entries=[entry])
    assert probe.was_not_invoked()
    probe.permit("events.amazonaws.com", rule, Qualifier="live")
    events.put_events(Entries=[entry])
    assert probe.event()["source"] == source


@pytest.mark.slow
def test_a_schedule_invokes_with_a_role(probe: Probe, make_client: Callable[..., Any]) -> None:
    """EventBridge Scheduler user guide, "Setting up the execution role"."""
    scheduler, iam = make_client("scheduler"), make_client("iam")
    service = {"Service": "scheduler.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": probe.arn}
    suffix = secrets.token_hex(4)
    probe.permit("scheduler.amazonaws.com")
    for name, statements in ((f"without-{suffix}", []), (f"with-{suffix}", [allow])):
        role_arn = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )["Role"]["Arn"]
        for statement in statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_role_policy(RoleName=name, PolicyName="invoke", PolicyDocument=policy)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        scheduler.create_schedule(
            Name=name,
            ScheduleExpression=f"at({moment})",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": probe.arn, "RoleArn": role_arn, "Input": json.dumps({"role": name})},
        )
    assert probe.event() == {"role": f"with-{suffix}"}
    assert probe.was_not_invoked()
    assert sum_of(make_client, "AWS/Scheduler", "TargetErrorCount", ScheduleGroup="default") == 1


def test_a_failing_function_is_retried_whoever_invokes_it(
    deploy: Callable[..., DeployedFunction], make_client: Callable[..., Any], role: str
) -> None:
    """Developer guide, "Invoking a Lambda function asynchronously": EventBridge, SNS, S3 and others."""
    function = deploy("def handler(event, context):\n    raise ValueError('always')\n", Role=role)
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function.name}"
    sqs, url, queue = dead_letter_queue(make_client, "sns.amazonaws.com")
    function.client.put_function_event_invoke_config(
        FunctionName=function.name, DestinationConfig={"OnFailure": {"Destination": queue}}
    )
    sns = make_client("sns")
    topic = sns.create_topic(Name=function.name)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    function.client.add_permission(
        FunctionName=function.name,
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    sns.publish(TopicArn=topic, Message="hello")
    message = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=WAIT_S)["Messages"][0]
    record = json.loads(message["Body"])
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestPayload"]["Records"][0]["Sns"]["Message"] == "hello"


def test_sns_needs_a_permission_for_the_topic(probe: Probe, make_client: Callable[..., Any]) -> None:
    """SNS developer guide, "Dead-letter queues": client-side errors are not retried."""
    sns = make_client("sns")
    name = f"topic-{secrets.token_hex(4)}"
    topic = sns.create_topic(Name=name)["TopicArn"]
    sqs, url, dead_letters = dead_letter_queue(make_client, "sns.amazonaws.com")
    redrive = json.dumps({"deadLetterTargetArn": dead_letters})
    sns.subscribe(
        TopicArn=topic, Protocol="lambda", Endpoint=probe.arn, Attributes={"RedrivePolicy": redrive}
    )
    sns.publish(TopicArn=topic, Message="first")
    assert probe.was_not_invoked()
    message = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=WAIT_S)["Messages"][0]
    assert json.loads(message["Body"])["Message"] == "first"
    assert sum_of(make_client, "AWS/SNS", "NumberOfNotificationsFailed", TopicName=name) == 1
    probe.permit("sns.amazonaws.com", topic)
    sns.publish(TopicArn=topic, Message="second")
    record = probe.event()["Records"][0]
    assert (record["EventSource"], record["Sns"]["Message"]) == ("aws:sns", "second")


def test_s3_refuses_notifications_without_permission(probe: Probe, make_client: Callable[..., Any]) -> None:
    """S3 user guide, "Granting permissions to invoke an AWS Lambda function"."""
    s3 = make_client("s3", s3={"addressing_style": "path"})
    bucket = f"notifying-{secrets.token_hex(4)}"
    s3.create_bucket(Bucket=bucket)
    configuration = {
        "LambdaFunctionConfigurations": [{"LambdaFunctionArn": probe.arn, "Events": ["s3:ObjectCreated:*"]}]
    }
    probe.permit("s3.amazonaws.com", "arn:aws:s3:::another-bucket")
    with pytest.raises(ClientError) as refused:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"
    probe.permit("s3.amazonaws.com", f"arn:aws:s3:::{bucket}", SourceAccount=ACCOUNT)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    s3.put_object(Bucket=bucket, Key="report.csv", Body=b"1,2\n")
    assert probe.event()["Records"][0]["s3"]["object"]["key"] == "report.csv"


def test_a_subscription_filter_needs_a_permission_for_the_log_group(
    probe: Probe, make_client: Callable[..., Any]
) -> None:
    """CloudWatch Logs user guide, "Log group-level subscription filters", example with Lambda."""
    logs, group = make_client("logs"), f"/test/{secrets.token_hex(4)}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="one")
    request = {
        "logGroupName": group,
        "filterName": "errors",
        "filterPattern": "ERROR",
        "destinationArn": probe.arn,
    }
    with pytest.raises(ClientError) as refused:
        logs.put_subscription_filter(**request)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterException"
    probe.permit("logs.amazonaws.com", f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{group}:*")
    logs.put_subscription_filter(**request)
    now_ms = int(time.time() * 1000)
    messages = [{"timestamp": now_ms, "message": text} for text in ("INFO fine", "ERROR broken")]
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=messages)
    data = json.loads(gzip.decompress(base64.b64decode(probe.event()["awslogs"]["data"])))
    assert [event["message"] for event in data["logEvents"]] == ["ERROR broken"]
    assert (data["logGroup"], data["subscriptionFilters"]) == (group, ["errors"])


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
