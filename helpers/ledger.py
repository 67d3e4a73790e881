"""What a run created, on disk before AWS hears of it, so that it can be deleted after any crash.

One file of JSON lines for each run, `<cache directory>/ledger/<run>.jsonl`:

    {"record": "run", ...}                          who runs, where, in which process
    {"record": "intent", "number": 1, ...}          before a creating call leaves
    {"record": "result", "number": 1, "identity": {...}, "undo": "lambda.DeleteFunction"}
    {"record": "failed", "number": 1, "error": "..."}

Every line is on disk (fsync) before the program goes on. Of a request nothing is kept but what
identifies the resource, so no password or secret can get here.
"""

import contextlib
import dataclasses
import json
import os
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from helpers import inverses
from helpers.inverses import Call
from helpers.local_aws import cache_directory
from helpers.names import Marks

# The kernel rounds start times to hundredths of a second, and the clock may be set in between.
START_TIME_TOLERANCE_S = 3.0


class LedgerNotWritable(RuntimeError):
    """The ledger cannot be written; the message says why and what to do."""


class LedgerNotReadable(RuntimeError):
    """A line of a ledger other than the last one is damaged; the message names it."""


@dataclass(frozen=True)
class Run:
    """Who created what is in a ledger. `process_started_s` is in seconds since 1970."""

    run_id: str
    target: str
    account_id: str
    region: str
    endpoint_url: str | None = None
    account_role: str | None = None
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    process_started_s: float = field(default_factory=lambda: psutil.Process().create_time())

    def is_on_this_host(self) -> bool:
        """Whether it ran where this process runs; only then can be seen whether it still does."""
        return self.host == socket.gethostname()

    def is_alive(self) -> bool:
        """Whether the very process that wrote this still runs on this host."""
        if not self.is_on_this_host():
            return False
        try:
            process = psutil.Process(self.pid)
            is_the_same = abs(process.create_time() - self.process_started_s) < START_TIME_TOLERANCE_S
            # A zombie has ended; its parent has only not asked how.
            return is_the_same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


@dataclass
class Entry:
    """One creating call. `identity` is known from the request, else from the answer, else from neither."""

    number: int
    service: str
    operation: str
    account_id: str
    region: str
    identity: dict[str, Any] | None
    answered: bool = False

    @property
    def call(self) -> Call:
        """The row of the table for this call."""
        call = inverses.table(self.service).find(self.operation)
        if call is None or call.creates is None:
            raise LedgerNotReadable(f"{self.service}.{self.operation} is no creating call of the table.")
        return call

    @property
    def kind(self) -> inverses.Kind:
        """The kind of what the call creates."""
        return inverses.table(self.service).kinds[str(self.call.creates)]

    def generated(self) -> dict[str, Any]:
        """The part of the identity that AWS chose."""
        paths = self.call.identity
        return {name: value for name, value in (self.identity or {}).items() if "response" in paths[name]}


class Ledger:
    """The creating calls of one run, in memory and on disk. Safe to use from several threads."""

    def __init__(self, path: Path, run: Run, entries: list[Entry]) -> None:
        self.path = path
        self.run = run
        self.entries = entries
        self.marks = Marks(run.run_id)
        for entry in entries:
            self.marks.learn(entry.generated())
        self._lock = threading.Lock()

    @classmethod
    def create(cls, run: Run) -> "Ledger":
        """Begin the ledger of a run. Raises LedgerNotWritable."""
        path = ledger_directory() / f"{run.run_id}.jsonl"
        ledger = cls(path, run, [])
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ledger._not_writable(error) from error
        ledger._append({"record": "run", **dataclasses.asdict(run)})
        return ledger

    @classmethod
    def read(cls, path: Path) -> "Ledger | None":
        """The ledger in a file, or None when its process died before the first line was complete.

        A last line that a kill or a full disk cut off is ignored. Raises LedgerNotReadable.
        """
        records = _records(path)
        if not records:
            return None
        first, rest = records[0], records[1:]
        run = Run(**{name: value for name, value in first.items() if name != "record"})
        entries: dict[int, Entry] = {}
        for record in rest:
            match record.pop("record"):
                case "intent":
                    entries[record["number"]] = Entry(**record)
                case "result":
                    entries[record["number"]].identity = record["identity"]
                    entries[record["number"]].answered = True
        return cls(path, run, list(entries.values()))

    def intend(
        self, service: str, operation: str, account_id: str, region: str, identity: dict[str, Any] | None
    ) -> Entry:
        """Note a call that is about to leave. Raises LedgerNotWritable: then it must not leave."""
        with self._lock:
            entry = Entry(len(self.entries) + 1, service, operation, account_id, region, identity)
            record = {name: value for name, value in vars(entry).items() if name != "answered"}
            self._append({"record": "intent", **record})
            self.entries.append(entry)
        return entry

    def succeed(self, entry: Entry, identity: dict[str, Any] | None) -> None:
        """Note what the call created and the call that deletes it."""
        with self._lock:
            entry.identity, entry.answered = identity, True
            self.marks.learn(entry.generated())
            undo = f"{entry.service}.{entry.kind.delete}"
            self._append({"record": "result", "number": entry.number, "identity": identity, "undo": undo})

    def fail(self, entry: Entry, error: str) -> None:
        """Note that AWS answered with an error. Cleaning up still looks for it: a retry may have hidden
        that the first attempt succeeded."""
        with self._lock:
            self._append({"record": "failed", "number": entry.number, "error": error})

    def clear(self) -> None:
        """Begin anew after everything in it has been deleted."""
        with self._lock:
            self.entries.clear()
            self.path.unlink(missing_ok=True)
            self._append({"record": "run", **dataclasses.asdict(self.run)})

    def remove(self) -> None:
        """Forget the run."""
        self.path.unlink(missing_ok=True)

    def _append(self, record: dict[str, Any]) -> None:
        line = json.dumps(record).encode() + b"\n"
        try:
            with self.path.open("ab", buffering=0) as file:
                size = file.tell()
                try:
                    if file.write(line) < len(line):
                        raise OSError("the disk is full")
                    os.fsync(file.fileno())
                except OSError:
                    # The next line must not begin behind half of this one.
                    with contextlib.suppress(OSError):
                        file.truncate(size)
                    raise
        except OSError as error:
            raise self._not_writable(error) from error

    def _not_writable(self, error: OSError) -> LedgerNotWritable:
        return LedgerNotWritable(
            f"The ledger {self.path} cannot be written ({error.strerror or error}), so nothing is created. "
            "Make room or make it writable, or set XDG_CACHE_HOME to another directory."
        )


def ledger_directory() -> Path:
    """Where the ledgers of all runs are."""
    return cache_directory() / "ledger"


def _records(path: Path) -> list[dict[str, Any]]:
    lines = path.read_bytes().splitlines(keepends=True)
    records = []
    for number, line in enumerate(lines, 1):
        try:
            if not line.endswith(b"\n"):
                raise ValueError("cut off")
            records.append(json.loads(line))
        except ValueError as error:
            if number < len(lines):
                raise LedgerNotReadable(
                    f"Line {number} of {path} is damaged. What it held must be deleted by hand: "
                    f"look for names with {path.stem}, then delete the file."
                ) from error
    return records
