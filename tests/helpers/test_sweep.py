"""Sweeping cleans up after dead runs only, closes what has nothing left, and says what it could not do."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.ledger import Ledger
from helpers.local_aws import LocalAws
from helpers.sweep import ALIVE, CLEANED, FAILED, GONE, SweptRun, UnknownRun, sweep
from helpers.workshop import ENDPOINT_VARIABLE, Workshop

MakeClient = Callable[..., Any]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory with no runs but those of one test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def dead_run(cache: Path, local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A run with a queue whose ledger says that its process was one that ended long ago."""
    monkeypatch.setenv(ENDPOINT_VARIABLE, local_aws.endpoint_url)
    ws = Workshop("00")
    ws.client("sqs").create_queue(QueueName=ws.name("orders"))
    change_run(ws, process_started_s=1.0)
    return ws


def change_run(ws: Workshop, **values: Any) -> None:
    """Rewrite the first line of a ledger."""
    first, *rest = ws.ledger_path.read_text().splitlines(keepends=True)
    ws.ledger_path.write_text(json.dumps(json.loads(first) | values) + "\n" + "".join(rest))


def queues(make_client: MakeClient, ws: Workshop) -> list[str]:
    return list(make_client("sqs").list_queues(QueueNamePrefix=ws.run_id).get("QueueUrls", []))


def only(swept: list[SweptRun]) -> SweptRun:
    (run,) = swept
    return run


def test_a_dead_run_is_cleaned_up_and_forgotten(dead_run: Workshop, make_client: MakeClient) -> None:
    assert queues(make_client, dead_run)
    swept = only(sweep())
    assert swept.outcome == CLEANED and swept.run_id == dead_run.run_id
    assert [(count.kind, count.created, count.deleted, count.left) for count in swept.counts] == [
        ("sqs queue", 1, 1, 0)
    ]
    assert not queues(make_client, dead_run) and not dead_run.ledger_path.exists()
    assert sweep() == []


def test_a_live_run_is_left_alone_even_when_it_is_named(
    cache: Path, local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, make_client: MakeClient
) -> None:
    monkeypatch.setenv(ENDPOINT_VARIABLE, local_aws.endpoint_url)
    ws = Workshop("00")
    ws.client("sqs").create_queue(QueueName=ws.name("orders"))
    assert only(sweep()).outcome == only(sweep([ws.run_id])).outcome == ALIVE
    assert queues(make_client, ws)
    ws.cleanup()


def test_a_run_of_another_host_is_cleaned_up_only_when_it_is_named(
    dead_run: Workshop, make_client: MakeClient
) -> None:
    change_run(dead_run, host="elsewhere.example.com")
    swept = only(sweep())
    assert swept.outcome == ALIVE and "elsewhere.example.com" in swept.message
    assert only(sweep([dead_run.run_id])).outcome == CLEANED
    assert not queues(make_client, dead_run)


@pytest.mark.parametrize("cut", [3, 30])
def test_a_last_line_that_was_cut_off_is_no_obstacle(
    dead_run: Workshop, make_client: MakeClient, cut: int
) -> None:
    dead_run.ledger_path.write_bytes(dead_run.ledger_path.read_bytes()[:-cut])
    assert only(sweep()).outcome == CLEANED
    assert not queues(make_client, dead_run)


def test_a_local_aws_that_is_gone_took_everything_with_it(dead_run: Workshop) -> None:
    change_run(dead_run, endpoint_url="http://127.0.0.1:9")
    assert only(sweep()).outcome == GONE
    assert not dead_run.ledger_path.exists()


def test_another_program_at_its_port_is_no_local_aws(dead_run: Workshop, tmp_path: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    port = server.stdout.readline().split(" port ")[1].split()[0]
    change_run(dead_run, endpoint_url=f"http://127.0.0.1:{port}")
    assert only(sweep()).outcome == GONE
    server.terminate()
    server.wait()


def test_a_run_that_ended_before_it_began_is_forgotten(cache: Path) -> None:
    path = cache / "serverless-patterns-workshop" / "ledger" / "w00-000000.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text('{"record": "ru')
    assert only(sweep()).outcome == GONE and not path.exists()


def test_a_damaged_ledger_is_reported_and_the_others_are_swept(dead_run: Workshop) -> None:
    damaged = dead_run.ledger_path.with_name("w00-000000.jsonl")
    damaged.write_text("nonsense\n{}\n")
    outcomes = {swept.run_id: swept for swept in sweep()}
    assert outcomes[dead_run.run_id].outcome == CLEANED
    assert outcomes["w00-000000"].outcome == FAILED and "Line 1" in outcomes["w00-000000"].message
    assert damaged.exists()


def test_without_the_credentials_of_its_account_a_run_stays_in_the_ledger(
    dead_run: Workshop, monkeypatch: pytest.MonkeyPatch, local_aws: LocalAws
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "222233334444")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    change_run(dead_run, target="aws", endpoint_url=None)
    swept = only(sweep())
    assert swept.outcome == FAILED and "111122223333" in swept.message
    assert dead_run.ledger_path.exists()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111122223333")
    assert only(sweep()).outcome == CLEANED


def test_an_unknown_run_is_an_error_that_names_the_known_ones(dead_run: Workshop) -> None:
    with pytest.raises(UnknownRun, match=f"'w99-000000'.*{dead_run.run_id}"):
        sweep(["w99-000000"])
    dead_run.cleanup()


def test_files_of_a_dead_run_are_removed(dead_run: Workshop) -> None:
    (dead_run.directory / "index.py").write_text("")
    files = dead_run.directory
    assert only(sweep()).outcome == CLEANED
    assert not files.exists()


def test_a_call_that_the_table_no_longer_knows_is_reported(dead_run: Workshop) -> None:
    ledger = Ledger.read(dead_run.ledger_path)
    assert ledger is not None
    ledger.intend("sqs", "CreateSomethingElse", "111122223333", "us-east-1", None)
    swept = only(sweep())
    assert swept.outcome == FAILED and "sqs.CreateSomethingElse" in swept.message
    dead_run.cleanup()
