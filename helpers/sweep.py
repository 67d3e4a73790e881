"""Delete what runs left behind whose process is gone: a kernel that was killed, a machine that stopped."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from helpers.cleaning import KindCount, ResourcesLeft, clean
from helpers.ledger import Ledger, LedgerNotReadable, ledger_directory
from helpers.local_aws import LocalAwsStopped
from helpers.targets import AwsTarget, CredentialsMissing, LocalTarget, Target
from helpers.workshop import CLEANUP_TIMEOUT_S, run_directory

ALIVE = "alive"
CLEANED = "cleaned"
GONE = "gone"
FAILED = "failed"


class UnknownRun(ValueError):
    """There is no ledger of a run that was named; the message says which ones there are."""


@dataclass(frozen=True)
class SweptRun:
    """What became of one run.

    `outcome` is ALIVE (its process still runs, so it was left alone), CLEANED (`counts` says what
    was deleted), GONE (there was nothing to delete) or FAILED (`message` says why; sweep again).
    """

    run_id: str
    outcome: str
    message: str
    counts: list[KindCount] = field(default_factory=list)


def sweep(runs: Iterable[str] | None = None, timeout_s: float | None = None) -> list[SweptRun]:
    """Clean up after every run whose process is gone, or only after those named in `runs`.

    A run that is named is also cleaned up when its process was on another host, which cannot be
    seen from here. Never raises for what goes wrong with one run: the outcome says so, and the
    others are still swept. Raises UnknownRun for a name without a ledger.
    """
    return list(swept_runs(runs, timeout_s))


def swept_runs(runs: Iterable[str] | None = None, timeout_s: float | None = None) -> Iterator[SweptRun]:
    """As sweep, one run at a time, so that progress can be shown."""
    paths = {path.stem: path for path in sorted(ledger_directory().glob("*.jsonl"))}
    named = sorted(set(runs)) if runs is not None else None
    for run_id in named or ():
        if run_id not in paths:
            known = ", ".join(paths) or "none"
            raise UnknownRun(f"No ledger of run {run_id!r} in {ledger_directory()}; there are: {known}.")
    for run_id in paths if named is None else named:
        yield _sweep_run(paths[run_id], named is not None, timeout_s)


def _sweep_run(path: Path, is_named: bool, timeout_s: float | None) -> SweptRun:
    run_id = path.stem
    try:
        ledger = Ledger.read(path)
        if ledger is None:
            path.unlink()
            return SweptRun(run_id, GONE, "it ended before it created anything")
        run = ledger.run
        if run.is_alive() or (not run.is_on_this_host() and not is_named):
            where = f"process {run.pid}" if run.is_on_this_host() else f"host {run.host}"
            return SweptRun(run_id, ALIVE, f"{where} may still need what it created")
        target = _target(ledger)
        if target is None or not ledger.entries:
            _forget(ledger)
            return SweptRun(run_id, GONE, "there is nothing of it left")
        if timeout_s is None:
            timeout_s = CLEANUP_TIMEOUT_S[run.target]
        counts = clean(ledger, target.client, timeout_s)
        _forget(ledger)
        return SweptRun(run_id, CLEANED, f"{sum(count.deleted for count in counts)} deleted", counts)
    except (LedgerNotReadable, ResourcesLeft, CredentialsMissing, LocalAwsStopped) as error:
        return SweptRun(run_id, FAILED, str(error))
    except (BotoCoreError, ClientError, OSError) as error:
        return SweptRun(run_id, FAILED, f"{type(error).__name__}: {error}")


def _target(ledger: Ledger) -> Target | None:
    """Where the run created things; None when that was a local AWS which is gone with everything in it."""
    run = ledger.run
    if run.target == "aws":
        return AwsTarget(run.region, run.account_id, str(run.account_role))
    target = LocalTarget(str(run.endpoint_url), run.account_id)
    return target if target.is_there() else None


def _forget(ledger: Ledger) -> None:
    ledger.remove()
    shutil.rmtree(run_directory(ledger.run.run_id), ignore_errors=True)
