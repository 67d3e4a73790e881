"""Everything that a run creates is found again by its mark, deleted, and shown to be gone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers import cleaning, functions, permissions
from helpers.ledger import Ledger
from helpers.targets import LocalTarget
from helpers.workshop import Workshop

HANDLER = functions.package(
    texts={"index.py": "def handler(event, context):\n    print('seen')\n    return event\n"}
)


def make_function(ws: Workshop, label: str = "work") -> str:
    role = permissions.create_role(
        ws.client("iam"),
        ws.name(label),
        "lambda.amazonaws.com",
        permissions.write_logs(ws.name(label), ws.region, ws.account_id),
        permissions.allow(
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            on=f"arn:aws:sqs:{ws.region}:{ws.account_id}:{ws.name('source')}",
        ),
    )
    lambda_ = ws.client("lambda")
    function = lambda_.create_function(
        FunctionName=ws.name(label),
        Runtime="python3.12",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": HANDLER},
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName=ws.name(label), WaiterConfig={"Delay": 1})
    return str(function["FunctionArn"])


def make_lambda(ws: Workshop) -> None:
    lambda_ = ws.client("lambda")
    make_function(ws)
    lambda_.publish_version(FunctionName=ws.name("work"))
    lambda_.create_alias(FunctionName=ws.name("work"), Name="live", FunctionVersion="1")
    lambda_.add_permission(
        FunctionName=ws.name("work"),
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    )
    for _ in range(2):
        lambda_.publish_layer_version(LayerName=ws.name("layer"), Content={"ZipFile": HANDLER})
    queue = ws.client("sqs").create_queue(QueueName=ws.name("source"))["QueueUrl"]
    arn = f"arn:aws:sqs:{ws.region}:{ws.account_id}:{queue.rsplit('/', 1)[1]}"
    lambda_.create_event_source_mapping(FunctionName=ws.name("work"), EventSourceArn=arn, Enabled=False)


def make_iam(ws: Workshop) -> None:
    iam = ws.client("iam")
    arn = iam.create_policy(
        PolicyName=ws.name("policy"),
        PolicyDocument=permissions.policy(permissions.allow("s3:GetObject", "arn:aws:s3:::a/*")),
    )["Policy"]["Arn"]
    iam.create_policy_version(
        PolicyArn=arn,
        PolicyDocument=permissions.policy(permissions.allow("s3:PutObject", "arn:aws:s3:::a/*")),
    )
    permissions.create_role(
        iam, ws.name("role"), "ec2.amazonaws.com", permissions.allow("s3:GetObject", "arn:aws:s3:::a/*")
    )
    iam.attach_role_policy(RoleName=ws.name("role"), PolicyArn=arn)
    iam.create_instance_profile(InstanceProfileName=ws.name("profile"))
    iam.add_role_to_instance_profile(InstanceProfileName=ws.name("profile"), RoleName=ws.name("role"))
    iam.create_user(UserName=ws.name("user"))
    iam.create_access_key(UserName=ws.name("user"))
    iam.attach_user_policy(UserName=ws.name("user"), PolicyArn=arn)
    iam.create_group(GroupName=ws.name("group"))
    iam.add_user_to_group(GroupName=ws.name("group"), UserName=ws.name("user"))


def make_s3(ws: Workshop) -> None:
    s3 = ws.client("s3")
    s3.create_bucket(Bucket=ws.name("versions"))
    s3.put_bucket_versioning(Bucket=ws.name("versions"), VersioningConfiguration={"Status": "Enabled"})
    for text in (b"first", b"second"):
        s3.put_object(Bucket=ws.name("versions"), Key="a/b c", Body=text)
    s3.delete_object(Bucket=ws.name("versions"), Key="a/b c")
    s3.create_bucket(Bucket=ws.name("plain"))
    s3.put_object(Bucket=ws.name("plain"), Key="key", Body=b"text")
    s3.create_multipart_upload(Bucket=ws.name("plain"), Key="never-finished")
    s3.create_bucket(Bucket=ws.name("empty"))


def make_messaging(ws: Workshop) -> None:
    queue = ws.client("sqs").create_queue(QueueName=ws.name("queue"))["QueueUrl"]
    ws.client("sqs").send_message(QueueUrl=queue, MessageBody="text")
    topic = ws.client("sns").create_topic(Name=ws.name("topic"))["TopicArn"]
    arn = f"arn:aws:sqs:{ws.region}:{ws.account_id}:{ws.name('queue')}"
    ws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)


def make_events(ws: Workshop) -> None:
    events = ws.client("events")
    arn = events.create_event_bus(Name=ws.name("bus"))["EventBusArn"]
    events.put_permission(
        EventBusName=ws.name("bus"), Action="events:PutEvents", Principal="222233334444", StatementId="other"
    )
    queue = ws.client("sqs").create_queue(QueueName=ws.name("target"))["QueueUrl"]
    target = {"Id": "queue", "Arn": f"arn:aws:sqs:{ws.region}:{ws.account_id}:{queue.rsplit('/', 1)[1]}"}
    for bus in (ws.name("bus"), "default"):
        events.put_rule(Name=ws.name("rule"), EventBusName=bus, EventPattern=json.dumps({"source": ["shop"]}))
        events.put_targets(Rule=ws.name("rule"), EventBusName=bus, Targets=[target])
    events.create_archive(ArchiveName=ws.name("archive"), EventSourceArn=arn)
    connection = events.create_connection(
        Name=ws.name("connection"),
        AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "key", "ApiKeyValue": "secret"}},
    )["ConnectionArn"]
    events.create_api_destination(
        Name=ws.name("destination"),
        ConnectionArn=connection,
        InvocationEndpoint="https://example.com/",
        HttpMethod="POST",
    )


def make_logs_and_metrics(ws: Workshop) -> None:
    logs, cloudwatch = ws.client("logs"), ws.client("cloudwatch")
    logs.create_log_group(logGroupName=f"/orders/{ws.name('logs')}")
    logs.put_retention_policy(logGroupName=f"/orders/{ws.name('logs')}", retentionInDays=1)
    logs.put_resource_policy(policyName=ws.name("policy"), policyDocument=permissions.policy())
    cloudwatch.put_metric_alarm(
        AlarmName=ws.name("alarm"),
        Namespace="Shop",
        MetricName="Orders",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.put_dashboard(DashboardName=ws.name("dashboard"), DashboardBody=json.dumps({"widgets": []}))
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Orders", "Value": 1}])


def make_data(ws: Workshop) -> None:
    dynamodb = ws.client("dynamodb")
    dynamodb.create_table(
        TableName=ws.name("table"),
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.put_item(TableName=ws.name("table"), Item={"id": {"S": "1"}})
    dynamodb.batch_write_item(
        RequestItems={ws.name("table"): [{"DeleteRequest": {"Key": {"id": {"S": "1"}}}}]}
    )
    ws.client("kinesis").create_stream(StreamName=ws.name("stream"), ShardCount=1)


def make_workflow(ws: Workshop) -> None:
    role = permissions.create_role(ws.client("iam"), ws.name("states"), "states.amazonaws.com")
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}})
    states = ws.client("stepfunctions")
    arn = states.create_state_machine(name=ws.name("flow"), roleArn=role, definition=definition)[
        "stateMachineArn"
    ]
    states.start_execution(stateMachineArn=arn)
    states.create_activity(name=ws.name("activity"))


def make_configuration(ws: Workshop) -> None:
    ws.client("ssm").put_parameter(Name=f"/{ws.name('shop')}/currency", Value="EUR", Type="String")
    ws.client("secretsmanager").create_secret(Name=ws.name("secret"), SecretString="hunter2")
    appconfig = ws.client("appconfig")
    application = appconfig.create_application(Name=ws.name("app"))["Id"]
    appconfig.create_environment(ApplicationId=application, Name=ws.name("production"))
    profile = appconfig.create_configuration_profile(
        ApplicationId=application, Name=ws.name("flags"), LocationUri="hosted"
    )["Id"]
    appconfig.create_hosted_configuration_version(
        ApplicationId=application,
        ConfigurationProfileId=profile,
        Content=b"{}",
        ContentType="application/json",
    )
    appconfig.create_deployment_strategy(
        Name=ws.name("at-once"), DeploymentDurationInMinutes=0, GrowthFactor=100.0, ReplicateTo="NONE"
    )
    kms = ws.client("kms")
    key = kms.create_key(Description=ws.name("key"))["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=f"alias/{ws.name('key')}", TargetKeyId=key)


def make_apis(ws: Workshop) -> None:
    rest = ws.client("apigateway")
    api = rest.create_rest_api(name=ws.name("rest"))["id"]
    root = rest.get_resources(restApiId=api)["items"][0]["id"]
    resource = rest.create_resource(restApiId=api, parentId=root, pathPart="orders")["id"]
    rest.put_method(restApiId=api, resourceId=resource, httpMethod="GET", authorizationType="NONE")
    rest.put_integration(restApiId=api, resourceId=resource, httpMethod="GET", type="MOCK")
    rest.create_deployment(restApiId=api, stageName="v1")
    plan = rest.create_usage_plan(name=ws.name("plan"), apiStages=[{"apiId": api, "stage": "v1"}])["id"]
    key = rest.create_api_key(name=ws.name("key"), enabled=True)["id"]
    rest.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    http = ws.client("apigatewayv2")
    socket_api = http.create_api(
        Name=ws.name("socket"), ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    http.create_stage(ApiId=socket_api, StageName="v1")


def make_network(ws: Workshop) -> None:
    ec2, elb = ws.client("ec2"), ws.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=ws.tag_specifications("vpc"))["Vpc"][
        "VpcId"
    ]
    subnet = ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.9.1.0/24", TagSpecifications=ws.tag_specifications("subnet")
    )["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc, TagSpecifications=ws.tag_specifications("route-table"))
    ec2.associate_route_table(RouteTableId=table["RouteTable"]["RouteTableId"], SubnetId=subnet)
    gateway = ec2.create_internet_gateway(TagSpecifications=ws.tag_specifications("internet-gateway"))
    ec2.attach_internet_gateway(InternetGatewayId=gateway["InternetGateway"]["InternetGatewayId"], VpcId=vpc)
    group = ec2.create_security_group(GroupName=ws.name("web"), Description="web", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp="10.0.0.0/8"
    )
    ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName=f"com.amazonaws.{ws.region}.s3",
        TagSpecifications=ws.tag_specifications("vpc-endpoint"),
    )
    balancer = elb.create_load_balancer(Name=ws.name("web", max_length=32), Subnets=[subnet])[
        "LoadBalancers"
    ][0]
    targets = elb.create_target_group(
        Name=ws.name("web", max_length=32), Protocol="HTTP", Port=80, VpcId=vpc
    )["TargetGroups"][0]
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": targets["TargetGroupArn"]}],
    )
    route53 = ws.client("route53")
    zone = route53.create_hosted_zone(Name=f"{ws.name('zone')}.example.com", CallerReference=ws.name("zone"))
    record = {"Name": f"www.{ws.name('zone')}.example.com", "Type": "A", "TTL": 60}
    record["ResourceRecords"] = [{"Value": "127.0.0.1"}]
    route53.change_resource_record_sets(
        HostedZoneId=zone["HostedZone"]["Id"],
        ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]},
    )
    route53.create_health_check(
        CallerReference=ws.name("check"),
        HealthCheckConfig={"Type": "HTTP", "IPAddress": "127.0.0.1", "Port": 80, "ResourcePath": "/"},
    )
    ws.client("acm").request_certificate(DomainName="shop.example.com", Tags=ws.tag_list)


def make_people(ws: Workshop) -> None:
    cognito = ws.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName=ws.name("people"))["UserPool"]["Id"]
    cognito.create_user_pool_client(UserPoolId=pool, ClientName="web")
    cognito.create_user_pool_domain(UserPoolId=pool, Domain=ws.name("people"))
    cognito.admin_create_user(UserPoolId=pool, Username="ada")


def make_analytics(ws: Workshop) -> None:
    glue = ws.client("glue")
    glue.create_database(DatabaseInput={"Name": ws.name("shop", separator="_")})
    glue.create_table(DatabaseName=ws.name("shop", separator="_"), TableInput={"Name": "orders"})
    ws.client("athena").create_work_group(Name=ws.name("analysts"))


def make_schedules(ws: Workshop) -> None:
    role = permissions.create_role(ws.client("iam"), ws.name("scheduler"), "scheduler.amazonaws.com")
    scheduler = ws.client("scheduler")
    scheduler.create_schedule_group(Name=ws.name("nightly"))
    for group in ({}, {"GroupName": ws.name("nightly")}):
        scheduler.create_schedule(
            Name=ws.name("report"),
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": make_queue_arn(ws), "RoleArn": role},
            **group,
        )
    template = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    ws.client("cloudformation").create_stack(StackName=ws.name("stack"), TemplateBody=template)


def make_queue_arn(ws: Workshop) -> str:
    ws.client("sqs").create_queue(QueueName=ws.name("scheduled"))
    return f"arn:aws:sqs:{ws.region}:{ws.account_id}:{ws.name('scheduled')}"


MAKERS: list[Callable[[Workshop], None]] = [
    make_lambda,
    make_iam,
    make_s3,
    make_messaging,
    make_events,
    make_logs_and_metrics,
    make_data,
    make_workflow,
    make_configuration,
    make_apis,
    make_network,
    make_people,
    make_analytics,
    make_schedules,
]


def without_results(path: Path) -> None:
    """What a ledger looks like when every single call was cut off before its result was noted."""
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if '"record": "result"' not in line))


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_all_kinds_are_found_by_their_mark_and_deleted(
    make: Callable[[Workshop], None], workshop: Workshop, ledger_of: Callable[[Workshop], Ledger]
) -> None:
    make(workshop)
    noted = ledger_of(workshop).entries
    assert noted and all(entry.answered and entry.identity for entry in noted)
    without_results(workshop.ledger_path)

    client = LocalTarget(str(workshop.endpoint_url), workshop.account_id).client
    counts = cleaning.clean(ledger_of(workshop), client, timeout_s=20)

    assert all(count.left == 0 for count in counts)
    found = {count.kind: count.created for count in counts}
    expected = {json.dumps([entry.kind.title, entry.identity]) for entry in noted}
    for title in {entry.kind.title for entry in noted}:
        assert found.get(title) == sum(title == json.loads(text)[0] for text in expected), title
    # A second look, by a run that knows nothing of the first cleaning, finds nothing.
    assert cleaning.clean(ledger_of(workshop), client, timeout_s=20) == []


def test_what_a_function_of_the_run_has_created_is_deleted_too(
    workshop: Workshop, make_client: Callable[..., Any]
) -> None:
    """It goes past the ledger, but carries the run's id."""
    workshop.client("sqs").create_queue(QueueName=workshop.name("orders"))
    make_client("sqs").create_queue(QueueName=workshop.name("made-by-a-function"))
    assert workshop.cleanup().loc["sqs queue", "deleted"] == 2


def test_what_only_refers_to_the_run_belongs_to_somebody_else(
    workshop: Workshop, make_client: Callable[..., Any]
) -> None:
    role = permissions.create_role(workshop.client("iam"), workshop.name("role"), "lambda.amazonaws.com")
    others = make_client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sts:AssumeRole"}
    others.create_role(
        RoleName="somebody-elses",
        Description=f"for {workshop.run_id}",
        AssumeRolePolicyDocument=permissions.policy(trust),
    )
    assert workshop.cleanup().loc["iam role", "deleted"] == 1
    others.delete_role(RoleName="somebody-elses")


def test_what_still_depends_on_something_is_tried_again(workshop: Workshop) -> None:
    """IAM API Reference, DeletePolicy: a policy must be detached first. The role to which it is
    attached is older, so it is deleted later; only then the policy can be."""
    iam = workshop.client("iam")
    permissions.create_role(iam, workshop.name("role"), "lambda.amazonaws.com")
    arn = iam.create_policy(
        PolicyName=workshop.name("policy"),
        PolicyDocument=permissions.policy(permissions.allow("s3:GetObject", "arn:aws:s3:::a/*")),
    )["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=workshop.name("role"), PolicyArn=arn)
    with pytest.raises(iam.exceptions.DeleteConflictException):
        iam.delete_policy(PolicyArn=arn)
    assert workshop.cleanup()["left"].tolist() == [0, 0]
