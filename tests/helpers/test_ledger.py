"""A ledger survives what may happen to its process and its disk."""

import json
import multiprocessing
import os
from pathlib import Path

import psutil
import pytest

from helpers.ledger import Ledger, LedgerNotReadable, LedgerNotWritable, Run


def new_ledger(run_id: str) -> Ledger:
    return Ledger.create(Run(run_id, target="local", account_id="111122223333", region="us-east-1"))


def read(ledger: Ledger) -> Ledger:
    again = Ledger.read(ledger.path)
    assert again is not None
    return again


def test_what_is_read_is_what_was_noted() -> None:
    ledger = new_ledger("w00-000001")
    entry = ledger.intend("sqs", "CreateQueue", "111122223333", "us-east-1", None)
    ledger.intend("lambda", "CreateFunction", "111122223333", "us-east-1", {"FunctionName": "w00-000001-a"})
    ledger.succeed(entry, {"QueueUrl": "http://127.0.0.1/111122223333/w00-000001-orders"})
    again = read(ledger)
    assert again.run == ledger.run
    assert again.entries == ledger.entries
    assert [entry.answered for entry in again.entries] == [True, False]
    ledger.remove()


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_last_line_that_a_kill_cut_off_is_ignored(cut: int) -> None:
    ledger = new_ledger("w00-000002")
    entry = ledger.intend("sqs", "CreateQueue", "111122223333", "us-east-1", None)
    ledger.succeed(entry, {"QueueUrl": "http://127.0.0.1/111122223333/w00-000002-orders"})
    ledger.path.write_bytes(ledger.path.read_bytes()[:-cut])
    (entry,) = read(ledger).entries
    assert not entry.answered
    ledger.remove()


def test_a_ledger_without_a_whole_first_line_belongs_to_a_run_that_created_nothing() -> None:
    ledger = new_ledger("w00-000003")
    ledger.path.write_bytes(b'{"record": "run", "run_')
    assert Ledger.read(ledger.path) is None
    ledger.path.write_bytes(b"")
    assert Ledger.read(ledger.path) is None
    ledger.remove()


def test_damage_elsewhere_is_reported_with_its_line() -> None:
    ledger = new_ledger("w00-000004")
    ledger.path.write_text("{}\nnonsense\n{}\n")
    with pytest.raises(LedgerNotReadable, match=r"Line 2 of .*w00-000004.jsonl is damaged"):
        Ledger.read(ledger.path)
    ledger.remove()


def test_half_a_line_on_a_full_disk_does_not_spoil_the_next_one() -> None:
    """A file size limit stops a write in the middle, as a disk does that fills up."""
    ledger = new_ledger("w00-000005")
    size = ledger.path.stat().st_size

    def write_within_limit() -> None:
        import resource
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, size + 20))
        try:
            ledger.intend("sqs", "CreateQueue", "111122223333", "us-east-1", None)
        except LedgerNotWritable:
            os._exit(7)

    process = multiprocessing.get_context("fork").Process(target=write_within_limit)
    process.start()
    process.join(20)
    assert process.exitcode == 7
    assert ledger.path.stat().st_size == size
    ledger.intend("sqs", "CreateQueue", "111122223333", "us-east-1", None)
    assert len(read(ledger).entries) == 1
    ledger.remove()


def test_clearing_begins_anew_and_keeps_the_run() -> None:
    ledger = new_ledger("w00-000006")
    ledger.intend("sqs", "CreateQueue", "111122223333", "us-east-1", None)
    ledger.clear()
    assert read(ledger).entries == [] and read(ledger).run == ledger.run
    ledger.remove()
    assert not ledger.path.exists()


def test_a_cache_directory_that_cannot_be_written_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(LedgerNotWritable, match=r"nothing is created.*XDG_CACHE_HOME") as caught:
        new_ledger("w00-000007")
    assert "\n" not in str(caught.value)


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    """Numbers are used again: after a restart another program may have the one of a dead kernel."""
    process = psutil.Process()
    here = Run("w00-000008", "local", "111122223333", "us-east-1")
    assert here.is_alive() and here.is_on_this_host()
    earlier = process.create_time() - 3600
    assert not Run("w00-000008", "local", "1", "r", pid=process.pid, process_started_s=earlier).is_alive()
    elsewhere = Run("w00-000008", "local", "1", "r", host="elsewhere.example.com")
    assert not elsewhere.is_alive() and not elsewhere.is_on_this_host()


def test_a_process_that_has_ended_but_was_not_waited_for_is_not_alive() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    started = psutil.Process(child).create_time()
    assert not Run("w00-000009", "local", "1", "r", pid=child, process_started_s=started).is_alive()
    os.waitpid(child, 0)


def test_every_line_is_json_with_its_kind() -> None:
    ledger = new_ledger("w00-00000a")
    entry = ledger.intend("sqs", "CreateQueue", "111122223333", "us-east-1", None)
    ledger.fail(entry, "QueueDeletedRecently")
    records = [json.loads(line)["record"] for line in ledger.path.read_text().splitlines()]
    assert records == ["run", "intent", "failed"]
    ledger.remove()
