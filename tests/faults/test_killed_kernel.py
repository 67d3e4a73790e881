"""A run that is killed, after or in the middle of any provisioning step, leaves nothing once it is swept.

The local AWS survives the kill, as the reader's AWS account does. What is there is compared by
plain listings of every service used, which know nothing of the workshop's table.
"""

import multiprocessing
import os
import signal
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager, start_new_kernel

from helpers import inverses, permissions
from helpers.functions import package
from helpers.ledger import ledger_directory
from helpers.local_aws import LocalAws
from helpers.sweep import ALIVE, CLEANED, sweep
from helpers.workshop import ENDPOINT_VARIABLE, Workshop

OTHER_ACCOUNT = "222233334444"
OTHER_REGION = "eu-west-1"
HANDLER = package(texts={"index.py": "def handler(event, context):\n    print('seen')\n    return event\n"})

MakeClient = Callable[..., Any]
Step = Callable[[Workshop, dict[str, Any]], None]


def create_role(ws: Workshop, made: dict[str, Any]) -> None:
    made["role"] = ws.client("iam").create_role(
        RoleName=ws.name("work"), AssumeRolePolicyDocument=permissions.trust("lambda.amazonaws.com")
    )["Role"]["Arn"]


def create_function(ws: Workshop, made: dict[str, Any]) -> None:
    ws.client("iam").put_role_policy(
        RoleName=ws.name("work"),
        PolicyName="work",
        PolicyDocument=permissions.policy(
            permissions.write_logs(ws.name("work"), ws.region, ws.account_id),
            permissions.allow(
                ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
                on=f"arn:aws:sqs:{ws.region}:{ws.account_id}:{ws.name('orders')}",
            ),
        ),
    )
    ws.client("lambda").create_function(
        FunctionName=ws.name("work"),
        Runtime="python3.12",
        Handler="index.handler",
        Role=made["role"],
        Code={"ZipFile": HANDLER},
    )


def run_function(ws: Workshop, made: dict[str, Any]) -> None:
    """Lambda creates the log group; the alias is the function's."""
    lambda_ = ws.client("lambda")
    lambda_.get_waiter("function_active_v2").wait(FunctionName=ws.name("work"))
    lambda_.invoke(FunctionName=ws.name("work"))
    version = lambda_.publish_version(FunctionName=ws.name("work"))["Version"]
    lambda_.create_alias(FunctionName=ws.name("work"), Name="live", FunctionVersion=version)


def publish_layer(ws: Workshop, made: dict[str, Any]) -> None:
    ws.client("lambda").publish_layer_version(LayerName=ws.name("layer"), Content={"ZipFile": HANDLER})


def create_queue(ws: Workshop, made: dict[str, Any]) -> None:
    url = ws.client("sqs").create_queue(QueueName=ws.name("orders"))["QueueUrl"]
    made["queue"] = f"arn:aws:sqs:{ws.region}:{ws.account_id}:{url.rsplit('/', 1)[1]}"


def connect_queue(ws: Workshop, made: dict[str, Any]) -> None:
    ws.client("lambda").create_event_source_mapping(
        FunctionName=ws.name("work"), EventSourceArn=made["queue"], Enabled=False
    )


def fill_bucket(ws: Workshop, made: dict[str, Any]) -> None:
    s3 = ws.client("s3")
    s3.create_bucket(Bucket=ws.name("files"))
    s3.put_bucket_versioning(Bucket=ws.name("files"), VersioningConfiguration={"Status": "Enabled"})
    for text in (b"old", b"new"):
        s3.put_object(Bucket=ws.name("files"), Key="file", Body=text)


def create_rule(ws: Workshop, made: dict[str, Any]) -> None:
    events = ws.client("events")
    events.put_rule(Name=ws.name("rule"), EventPattern='{"source": ["shop"]}')
    events.put_targets(Rule=ws.name("rule"), Targets=[{"Id": "queue", "Arn": made["queue"]}])


def create_bus_elsewhere(ws: Workshop, made: dict[str, Any]) -> None:
    events = ws.client("events", region=OTHER_REGION, account=OTHER_ACCOUNT)
    events.create_event_bus(Name=ws.name("bus"))
    events.put_rule(Name=ws.name("rule"), EventBusName=ws.name("bus"), EventPattern='{"source": ["shop"]}')


def create_table(ws: Workshop, made: dict[str, Any]) -> None:
    ws.client("dynamodb").create_table(
        TableName=ws.name("orders"),
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def create_api(ws: Workshop, made: dict[str, Any]) -> None:
    made["api"] = ws.client("apigateway").create_rest_api(name=ws.name("api"))["id"]


def deploy_api(ws: Workshop, made: dict[str, Any]) -> None:
    rest = ws.client("apigateway")
    root = rest.get_resources(restApiId=made["api"])["items"][0]["id"]
    rest.put_method(restApiId=made["api"], resourceId=root, httpMethod="GET", authorizationType="NONE")
    rest.put_integration(restApiId=made["api"], resourceId=root, httpMethod="GET", type="MOCK")
    rest.create_deployment(restApiId=made["api"], stageName="v1")
    stage = {"apiId": made["api"], "stage": "v1"}
    rest.create_usage_plan(name=ws.name("plan"), apiStages=[stage])


STEPS: list[Step] = [
    create_role,
    create_function,
    run_function,
    publish_layer,
    create_queue,
    connect_queue,
    fill_bucket,
    create_rule,
    create_bus_elsewhere,
    create_table,
    create_api,
    deploy_api,
]


Inventory = Callable[[], dict[str, list[str]]]


@pytest.fixture(scope="module")
def inventory(make_client: MakeClient) -> Inventory:
    """Everything that the services used above list, in both accounts and Regions."""
    services = ("iam", "lambda", "logs", "sqs", "s3", "events", "dynamodb", "apigateway")
    places = (("111122223333", "us-east-1"), (OTHER_ACCOUNT, OTHER_REGION))
    clients = {
        (account, service): make_client(service, region=region, account=account)
        for account, region in places
        for service in services
    }

    def listings(account: str) -> dict[str, list[str]]:
        iam, lambda_, logs, sqs, s3, events, dynamodb, rest = (clients[account, name] for name in services)
        buses = [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]
        return {
            "roles": [role["RoleName"] for role in iam.list_roles()["Roles"]],
            "functions": [function["FunctionName"] for function in lambda_.list_functions()["Functions"]],
            "layers": [layer["LayerName"] for layer in lambda_.list_layers()["Layers"]],
            "mappings": [
                item["UUID"] for item in lambda_.list_event_source_mappings()["EventSourceMappings"]
            ],
            "log groups": [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]],
            "queues": sqs.list_queues().get("QueueUrls", []),
            "buckets": [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]],
            "buses": buses,
            "rules": [rule["Arn"] for bus in buses for rule in events.list_rules(EventBusName=bus)["Rules"]],
            "tables": dynamodb.list_tables()["TableNames"],
            "APIs": [api["id"] for api in rest.get_rest_apis()["items"]],
            "usage plans": [plan["id"] for plan in rest.get_usage_plans()["items"]],
        }

    def everything() -> dict[str, list[str]]:
        return {
            f"{what} in {account}": sorted(names)
            for account, _ in places
            for what, names in listings(account).items()
        }

    return everything


def die(**_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def provision_and_die(last_step: int, moment: str) -> None:
    """Run the steps up to the last one and die: after it, or before the result of one of its calls."""
    ws = Workshop("00")
    made: dict[str, Any] = {}
    for step in STEPS[:last_step]:
        step(ws, made)
    if moment == "before the result":
        # AWS has answered; the handler that notes the result comes after this one.
        die_in_creating_call(ws)
    STEPS[last_step](ws, made)
    die()


def die_in_creating_call(ws: Workshop) -> None:
    """Let the process die when AWS has answered the next creating call, before its result is noted."""
    plain_client = ws.client

    def client(*arguments: Any, **keywords: Any) -> Any:
        made = plain_client(*arguments, **keywords)
        service = made.meta.service_model
        for operation, call in inverses.table(service.service_name).calls.items():
            if call.creates:
                event = f"after-call.{service.service_id.hyphenize()}.{operation}"
                made.meta.events.register_first(event, die)
        return made

    ws.client = client  # type: ignore[method-assign]


def ledgers() -> set[str]:
    return {path.stem for path in ledger_directory().glob("*.jsonl")}


@pytest.mark.parametrize("moment", ["before the result", "after the step"])
@pytest.mark.parametrize("last_step", range(len(STEPS)), ids=[step.__name__ for step in STEPS])
def test_nothing_is_left_of_a_run_that_was_killed(
    last_step: int, moment: str, local_aws: LocalAws, inventory: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT_VARIABLE, local_aws.endpoint_url)
    before, known = inventory(), ledgers()

    process = multiprocessing.get_context("fork").Process(target=provision_and_die, args=(last_step, moment))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    (run_id,) = ledgers() - known
    assert inventory() != before, "the killed run has created nothing, so the test shows nothing"

    (swept,) = sweep([run_id])

    assert swept.outcome == CLEANED, swept.message
    assert inventory() == before
    assert ledgers() == known


CELLS = [
    """
    from helpers.workshop import Workshop
    ws = Workshop("00")
    queue_url = ws.client("sqs").create_queue(QueueName=ws.name("orders"))["QueueUrl"]
    """,
    """
    ws.client("s3").create_bucket(Bucket=ws.name("files"))
    ws.client("s3").put_object(Bucket=ws.name("files"), Key="file", Body=b"text")
    """,
    """
    (ws.directory / "index.py").write_text("def handler(event, context): return event")
    api = ws.client("apigateway").create_rest_api(name=ws.name("api"))["id"]
    """,
]


@pytest.mark.parametrize("last_cell", range(len(CELLS)))
def test_nothing_is_left_of_a_kernel_that_was_killed_after_a_cell(
    last_cell: int, local_aws: LocalAws, inventory: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT_VARIABLE, local_aws.endpoint_url)
    before, known = inventory(), ledgers()
    manager: KernelManager
    manager, client = start_new_kernel(cwd=str(Path(__file__).parents[2]))
    try:
        for cell in CELLS[: last_cell + 1]:
            reply = client.execute_interactive(textwrap.dedent(cell), timeout=60, output_hook=lambda _: None)
            assert reply["content"]["status"] == "ok", reply["content"]
        (run_id,) = ledgers() - known
        assert [swept.outcome for swept in sweep([run_id])] == [ALIVE]
        assert inventory() != before
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

    (swept,) = sweep([run_id])

    assert swept.outcome == CLEANED, swept.message
    assert inventory() == before
    assert not list((ledger_directory().parent / "runs").glob(f"{run_id}*"))
