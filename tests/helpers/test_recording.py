"""Calls are noted before they leave and after they return; what could not be undone is never sent."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from helpers import permissions
from helpers.ledger import Ledger, LedgerNotWritable
from helpers.recording import CallRefused, NotOfThisRun, UnknownCreatingCall
from helpers.workshop import Workshop

LedgerOf = Callable[[Workshop], Ledger]
DELETE = [{"DeleteRequest": {"Key": {"id": {"S": "1"}}}}]


def requests_of(client: Any) -> list[str]:
    """The operations that this client really sends."""
    sent: list[str] = []
    client.meta.events.register(
        "before-send", lambda event_name, **_: sent.append(event_name.rsplit(".", 1)[1])
    )
    return sent


def test_the_intent_is_on_disk_before_the_request_leaves(workshop: Workshop, ledger_of: LedgerOf) -> None:
    sqs = workshop.client("sqs")
    while_leaving: list[tuple[str, bool]] = []

    def look(**_: Any) -> None:
        entry = ledger_of(workshop).entries[-1]
        while_leaving.append((entry.operation, entry.answered))

    sqs.meta.events.register("before-send", look)
    url = sqs.create_queue(QueueName=workshop.name("orders"))["QueueUrl"]
    (entry,) = ledger_of(workshop).entries
    assert while_leaving == [("CreateQueue", False)]
    assert entry.answered and entry.identity == {"QueueUrl": url}
    assert json.loads(workshop.ledger_path.read_text().splitlines()[-1])["undo"] == "sqs.DeleteQueue"


def test_calls_that_create_nothing_by_themselves_leave_the_ledger_alone(workshop: Workshop) -> None:
    """Measurements go through these calls: nothing is written to disk for them."""
    sqs = workshop.client("sqs")
    url = sqs.create_queue(QueueName=workshop.name("orders"))["QueueUrl"]
    before = workshop.ledger_path.read_bytes()
    sqs.send_message(QueueUrl=url, MessageBody="text")
    sqs.receive_message(QueueUrl=url)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "0"})
    sqs.list_queues()
    assert workshop.ledger_path.read_bytes() == before


def test_an_unknown_creating_call_is_not_sent(workshop: Workshop) -> None:
    glue = workshop.client("glue")
    sent = requests_of(glue)
    with pytest.raises(UnknownCreatingCall, match=r"Add CreateRegistry to helpers/inverses/glue.toml"):
        glue.create_registry(RegistryName=workshop.name("schemas"))
    ecr = workshop.client("ecr")
    sent_to_ecr = requests_of(ecr)
    with pytest.raises(UnknownCreatingCall, match=r"helpers/inverses/ecr.toml"):
        ecr.create_repository(repositoryName=workshop.name("images"))
    assert sent == sent_to_ecr == []


@pytest.mark.parametrize(
    ("service", "call"),
    [
        # Names that some other run, or the reader, may use too.
        ("sqs", lambda sqs, ws: sqs.create_queue(QueueName="orders", tags=ws.tags)),
        ("s3", lambda s3, ws: s3.create_bucket(Bucket="orders")),
        ("ec2", lambda ec2, ws: ec2.create_vpc(CidrBlock="10.0.0.0/16")),
        # Parts of and changes to what the run did not create.
        (
            "events",
            lambda events, ws: events.put_permission(
                StatementId="s", Action="events:PutEvents", Principal="*"
            ),
        ),
        ("s3", lambda s3, ws: s3.put_object(Bucket="orders", Key=ws.name("key"), Body=b"")),
        (
            "sqs",
            lambda sqs, ws: sqs.set_queue_attributes(QueueUrl="http://127.0.0.1/1/orders", Attributes={}),
        ),
        (
            "lambda",
            lambda lambda_, ws: lambda_.update_function_configuration(FunctionName="billing", MemorySize=128),
        ),
        (
            "dynamodb",
            lambda db, ws: db.batch_write_item(RequestItems={ws.name("a"): DELETE, "others": DELETE}),
        ),
    ],
)
def test_what_would_not_be_found_again_is_not_sent(
    workshop: Workshop, service: str, call: Callable[[Any, Workshop], Any]
) -> None:
    client = workshop.client(service)
    sent = requests_of(client)
    with pytest.raises(NotOfThisRun, match=workshop.run_id):
        call(client, workshop)
    assert sent == []


def test_settings_of_the_whole_account_are_refused_with_the_reason(workshop: Workshop) -> None:
    with pytest.raises(CallRefused, match="the whole account"):
        workshop.client("apigateway").update_account(
            patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": workshop.name("role")}]
        )


def test_a_request_with_wrong_parameters_leaves_no_intent(workshop: Workshop, ledger_of: LedgerOf) -> None:
    with pytest.raises(ParamValidationError):
        workshop.client("sqs").create_queue(QueueName=workshop.name("orders"), Nonsense=1)
    assert ledger_of(workshop).entries == []


def test_a_refused_creation_is_noted_as_failed_and_cleaning_up_goes_on(
    workshop: Workshop, ledger_of: LedgerOf
) -> None:
    with pytest.raises(ClientError):
        workshop.client("lambda").create_function(
            FunctionName=workshop.name("work"),
            Runtime="python1.0",
            Handler="index.handler",
            Role=f"arn:aws:iam::{workshop.account_id}:role/{workshop.name('role')}",
            Code={"ZipFile": b"no zip"},
        )
    (entry,) = ledger_of(workshop).entries
    assert not entry.answered
    assert '"record": "failed"' in workshop.ledger_path.read_text()
    assert workshop.cleanup().empty


def test_no_secret_reaches_the_ledger(workshop: Workshop) -> None:
    secret = "correct horse battery staple"
    workshop.client("secretsmanager").create_secret(Name=workshop.name("secret"), SecretString=secret)
    workshop.client("ssm").put_parameter(Name=workshop.name("password"), Value=secret, Type="SecureString")
    iam = workshop.client("iam")
    iam.create_user(UserName=workshop.name("user"))
    key = iam.create_access_key(UserName=workshop.name("user"))["AccessKey"]
    pool = workshop.client("cognito-idp").create_user_pool(PoolName=workshop.name("people"))["UserPool"]["Id"]
    workshop.client("cognito-idp").admin_create_user(
        UserPoolId=pool, Username="ada", TemporaryPassword="Secret-123"
    )
    permissions.create_role(iam, workshop.name("role"), "lambda.amazonaws.com")
    workshop.client("apigateway").create_api_key(
        name=workshop.name("key"), value=secret.replace(" ", "-") * 2
    )
    text = workshop.ledger_path.read_text()
    assert "CreateSecret" in text and "PutParameter" in text and "CreateApiKey" in text
    for hidden in (secret, secret.replace(" ", "-"), key["SecretAccessKey"], "Secret-123"):
        assert hidden not in text


def test_when_the_ledger_cannot_be_written_the_request_does_not_leave(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/dev/full` answers every write as a full disk does."""
    sqs = workshop.client("sqs")
    sent = requests_of(sqs)
    path = workshop.ledger_path
    kept = path.read_bytes()
    path.unlink()
    path.symlink_to("/dev/full")
    with pytest.raises(LedgerNotWritable, match=r"No space left on device.*nothing is created") as caught:
        sqs.create_queue(QueueName=workshop.name("orders"))
    assert "\n" not in str(caught.value)
    assert sent == []
    path.unlink()
    path.write_bytes(kept)


def test_clients_in_several_threads_note_every_call(workshop: Workshop, ledger_of: LedgerOf) -> None:
    def create(number: int) -> None:
        workshop.client("sqs").create_queue(QueueName=workshop.name(f"queue-{number}"))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(create, range(24)))
    entries = ledger_of(workshop).entries
    assert sorted(entry.number for entry in entries) == list(range(1, 25))
    assert all(entry.answered for entry in entries)
    assert workshop.cleanup().loc["sqs queue", "deleted"] == 24
