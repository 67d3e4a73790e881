"""What a notebook sees of Workshop, on a local AWS of its own and on an AWS account."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config
from test_cleaning import make_function

from helpers.cleaning import ResourcesLeft
from helpers.local_aws import LocalAws, LocalAwsNotStarted
from helpers.sweep import CLEANED, sweep
from helpers.targets import CredentialsMissing
from helpers.workshop import ENDPOINT_VARIABLE, Workshop

OTHER_ACCOUNT = "222233334444"


def run_kernel(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code as a notebook's kernel would: in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | environment,
        cwd=Path(__file__).parents[2],
    )


@pytest.fixture
def aws(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    """The reader's account, played by the local AWS through boto3's own settings."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", local_aws.account_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return local_aws


@pytest.fixture
def no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    yield


def test_cleaning_up_returns_what_there_was_and_nothing_is_left(workshop: Workshop) -> None:
    sqs, s3 = workshop.client("sqs"), workshop.client("s3")
    for label in ("orders", "failures"):
        sqs.create_queue(QueueName=workshop.name(label))
    s3.create_bucket(Bucket=workshop.name("files"))
    s3.put_object(Bucket=workshop.name("files"), Key="file", Body=b"text")
    (workshop.directory / "index.py").write_text("")
    files = workshop.directory

    table = workshop.cleanup()

    assert table.reset_index().values.tolist() == [["sqs queue", 2, 2, 0], ["s3 bucket", 1, 1, 0]]
    assert not files.exists()
    assert not sqs.list_queues(QueueNamePrefix=workshop.run_id).get("QueueUrls")
    # And the run may go on.
    sqs.create_queue(QueueName=workshop.name("orders"))
    assert workshop.cleanup().loc["sqs queue", "deleted"] == 1
    assert workshop.cleanup().empty


def test_what_the_notebook_has_deleted_itself_is_no_problem(workshop: Workshop) -> None:
    iam, sqs = workshop.client("iam"), workshop.client("sqs")
    iam.create_user(UserName=workshop.name("user"))
    iam.delete_user(UserName=workshop.name("user"))
    sqs.delete_queue(QueueUrl=sqs.create_queue(QueueName=workshop.name("orders"))["QueueUrl"])
    assert workshop.cleanup()["left"].sum() == 0


def test_the_log_group_that_lambda_makes_is_deleted_too(workshop: Workshop) -> None:
    make_function(workshop)
    lambda_, logs = workshop.client("lambda"), workshop.client("logs")
    lambda_.get_waiter("function_active_v2").wait(FunctionName=workshop.name("work"))
    lambda_.invoke(FunctionName=workshop.name("work"))
    name = f"/aws/lambda/{workshop.name('work')}"
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    table = workshop.cleanup()
    assert table["deleted"].to_dict() == {"iam role": 1, "logs log group": 1, "lambda function": 1}
    assert not logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]


def test_several_accounts_and_regions(workshop: Workshop) -> None:
    places = [
        (workshop.account_id, "us-east-1"),
        (workshop.account_id, "eu-west-1"),
        (OTHER_ACCOUNT, "eu-west-1"),
    ]
    for account, region in places:
        events = workshop.client("events", region=region, account=account)
        arn = events.create_event_bus(Name=workshop.name("bus"))["EventBusArn"]
        assert arn == f"arn:aws:events:{region}:{account}:event-bus/{workshop.name('bus')}"
    assert workshop.cleanup().loc["events event bus", "deleted"] == 3
    for account, region in places:
        events = workshop.client("events", region=region, account=account)
        assert [bus["Name"] for bus in events.list_event_buses()["EventBuses"]] == ["default"]


def test_what_cannot_be_deleted_is_named_with_the_reason_and_can_be_tried_again(workshop: Workshop) -> None:
    """Amazon DynamoDB Developer Guide, "Using deletion protection": such a table is not deleted."""
    dynamodb = workshop.client("dynamodb")
    dynamodb.create_table(
        TableName=workshop.name("orders"),
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
    )
    workshop.client("sqs").create_queue(QueueName=workshop.name("orders"))
    with pytest.raises(ResourcesLeft) as caught:
        workshop.cleanup(timeout_s=0.5)
    assert f"dynamodb table {workshop.name('orders')}" in str(caught.value)
    assert "protect" in str(caught.value) and "sqs queue" not in str(caught.value)
    dynamodb.update_table(TableName=workshop.name("orders"), DeletionProtectionEnabled=False)
    assert workshop.cleanup().loc["dynamodb table", "deleted"] == 1


def test_names_and_tags_carry_the_run(workshop: Workshop) -> None:
    assert workshop.name("orders") == f"{workshop.run_id}-orders"
    assert workshop.tags == {"workshop-run": workshop.run_id, "workshop-notebook": "00"}
    assert {"Key": "workshop-run", "Value": workshop.run_id} in workshop.tag_list
    assert workshop.tag_specifications("vpc") == [{"ResourceType": "vpc", "Tags": workshop.tag_list}]


def test_the_readers_aws_settings_do_not_reach_the_local_target(
    local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[default]\nregion = nowhere-1\ns3 =\n  addressing_style = virtual\n")
    for name, value in {
        ENDPOINT_VARIABLE: local_aws.endpoint_url,
        "AWS_PROFILE": "does-not-exist",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "AKIAREADERSOWNKEY000",
    }.items():
        monkeypatch.setenv(name, value)
    ws = Workshop("00")
    ws.client("s3").create_bucket(Bucket=ws.name("files"))
    assert ws.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{local_aws.account_id}:root"
    assert ws.cleanup().loc["s3 bucket", "deleted"] == 1


def test_two_workshops_of_a_kernel_share_a_local_aws_that_ends_with_the_kernel() -> None:
    kernel = run_kernel(
        """
        from helpers.workshop import Workshop
        first, second = Workshop("00"), Workshop("00")
        assert first.endpoint_url == second.endpoint_url and first.run_id != second.run_id
        first.client("sqs").create_queue(QueueName=first.name("orders"))
        print(first.endpoint_url, first.ledger_path, first.directory)
        """,
        **{ENDPOINT_VARIABLE: ""},
    )
    assert kernel.returncode == 0, kernel.stderr
    assert kernel.stderr == ""
    endpoint_url, ledger, directory = kernel.stdout.split()
    port = int(endpoint_url.rsplit(":", 1)[1])
    listening = {connection.laddr.port for connection in psutil.net_connections("tcp4") if connection.laddr}
    assert port not in listening
    assert not Path(ledger).exists() and not Path(directory).exists()


@pytest.mark.parametrize("victims", ["children[-1:]", "children"], ids=["its gateway", "all of it"])
def test_when_the_local_aws_dies_the_next_call_says_so_in_one_line(victims: str) -> None:
    kernel = run_kernel(
        f"""
        import os, signal, time
        import psutil
        from helpers.local_aws import LocalAwsStopped
        from helpers.workshop import Workshop
        ws = Workshop("00")
        sqs = ws.client("sqs")
        sqs.list_queues()
        children = psutil.Process().children(recursive=True)
        assert len(children) >= 2
        for process in {victims}:
            process.kill()
        started = time.monotonic()
        try:
            sqs.list_queues()
        except LocalAwsStopped as error:
            print(error)
        assert time.monotonic() - started < 10
        again = Workshop("00")
        assert again.endpoint_url != ws.endpoint_url
        again.client("sqs").list_queues()
        """,
        **{ENDPOINT_VARIABLE: ""},
    )
    assert kernel.returncode == 0, kernel.stderr
    (line,) = kernel.stdout.splitlines()
    assert "has stopped" in line and ".log" in line


def test_an_endpoint_without_a_local_aws_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT_VARIABLE, "http://127.0.0.1:9")
    with pytest.raises(LocalAwsNotStarted, match=r"no local AWS at http://127.0.0.1:9.*workshop local start"):
        Workshop("00")


def test_another_target_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 'local' or 'aws'"):
        Workshop("00", target="azure")


def test_aws_without_credentials_says_what_it_would_use_and_that_it_costs(no_credentials: None) -> None:
    with pytest.raises(CredentialsMissing) as caught:
        Workshop("00", target="aws", region="eu-west-1")
    message = str(caught.value)
    for part in ("eu-west-1", "AWS charges", "aws configure", "target='local'"):
        assert part in message
    assert "\n" not in message


def test_aws_with_the_credentials_of_another_account_is_refused(aws: LocalAws) -> None:
    with pytest.raises(CredentialsMissing, match=rf"account {OTHER_ACCOUNT}.*\*{{8}}{aws.account_id[-4:]}"):
        Workshop("00", target="aws", account=OTHER_ACCOUNT)


def test_aws_by_the_default_credentials(aws: LocalAws, capsys: pytest.CaptureFixture[str]) -> None:
    ws = Workshop("00", target="aws", region="eu-west-1")
    said = capsys.readouterr().out
    assert "AWS charges" in said and "eu-west-1" in said
    assert aws.account_id not in said and aws.account_id[-4:] in said
    url = ws.client("sqs").create_queue(QueueName=ws.name("orders"))["QueueUrl"]
    ws.client("sqs").send_message(QueueUrl=url, MessageBody='{"order": 1}')
    assert ws.wait_for_message(url) == {"order": 1}
    assert ws.cleanup().loc["sqs queue", "deleted"] == 1


def test_other_accounts_of_an_organization_are_entered_through_their_role(aws: LocalAws) -> None:
    """AWS Organizations User Guide, "Accessing member accounts in an organization": the role that
    CreateAccount makes there trusts the management account."""
    root = boto3.client(
        "iam", region_name="us-east-1", aws_access_key_id=OTHER_ACCOUNT, aws_secret_access_key="test"
    )
    trust = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",'
        f' "Principal": {{"AWS": "arn:aws:iam::{aws.account_id}:root"}}}}]}}'
    )
    root.create_role(RoleName="OrganizationAccountAccessRole", AssumeRolePolicyDocument=trust)
    root.attach_role_policy(
        RoleName="OrganizationAccountAccessRole", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    ws = Workshop("00", target="aws")
    arn = ws.client("sts", account=OTHER_ACCOUNT).get_caller_identity()["Arn"]
    assert arn.startswith(f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/OrganizationAccountAccessRole/")
    ws.client("events", account=OTHER_ACCOUNT).create_event_bus(Name=ws.name("bus"))
    assert ws.cleanup().loc["events event bus", "deleted"] == 1
    root.detach_role_policy(
        RoleName="OrganizationAccountAccessRole", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    root.delete_role(RoleName="OrganizationAccountAccessRole")


def test_credentials_of_an_assumed_role(workshop: Workshop) -> None:
    credentials = workshop.client("sts").get_session_token()["Credentials"]
    sqs = workshop.client("sqs", credentials=credentials)
    sqs.create_queue(QueueName=workshop.name("orders"))
    assert workshop.cleanup().loc["sqs queue", "deleted"] == 1


def test_a_kernel_that_ends_without_cleaning_up_says_so_on_aws(aws: LocalAws) -> None:
    kernel = run_kernel(
        """
        from helpers.workshop import Workshop
        ws = Workshop("00", target="aws")
        ws.client("sqs").create_queue(QueueName=ws.name("orders"))
        """
    )
    assert kernel.returncode == 0
    assert "`workshop sweep` deletes it" in kernel.stderr

    assert CLEANED in [swept.outcome for swept in sweep()]


def test_the_process_dies_at_once_when_it_is_killed_and_the_local_aws_with_it() -> None:
    """The kernel is killed with SIGKILL: nothing of its local AWS listens any more after 10 s."""
    kernel = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from helpers.workshop import Workshop; print(Workshop('00').endpoint_url, flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {ENDPOINT_VARIABLE: ""},
        cwd=Path(__file__).parents[2],
    )
    assert kernel.stdout is not None
    port = int(kernel.stdout.readline().strip().rsplit(":", 1)[1])
    family = psutil.Process(kernel.pid).children(recursive=True)
    kernel.send_signal(signal.SIGKILL)
    kernel.wait()
    gone, alive = psutil.wait_procs(family, timeout=10)
    assert not alive and gone
    assert not any(
        c.laddr and c.laddr.port == port for c in psutil.net_connections("tcp4") if c.status == "LISTEN"
    )


def test_a_client_keeps_its_own_settings(workshop: Workshop) -> None:
    client: Any = workshop.client("lambda", config=Config(connect_timeout=3))
    assert client.meta.config.connect_timeout == 3
    # A function may run for 15 minutes: giving up earlier would invoke it again.
    assert client.meta.config.read_timeout > 900
