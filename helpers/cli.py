"""The command `workshop`: run notebooks, look at this machine, and serve the local AWS."""

import logging
import os
import signal
import sys
import time
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from helpers import notebooks
from helpers.local_aws import DEFAULT_ACCOUNT_ID, LocalAwsNotStarted

EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
# SIGINT among them, because a shell that starts a command in the background has it ignored there.
STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

app = typer.Typer(
    help="Serverless patterns as notebooks, on a local AWS or on yours.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
local_app = typer.Typer(help="The local AWS, for use from other shells.", no_args_is_help=True)
app.add_typer(local_app, name="local")


class Target(StrEnum):
    LOCAL = "local"
    AWS = "aws"


class Failure(RuntimeError):
    """Something expected kept a command from doing its work; the message says what and what to do."""


@app.command("list")
def list_notebooks() -> None:
    """List the notebooks."""
    for notebook in notebooks.select([]):
        print(f"{notebook.number}  {notebook.title}")
        for label, value in notebook.facts().items():
            print(f"    {label}: {value}")


@app.command()
def run(
    numbers: Annotated[list[str] | None, typer.Argument(help="Such as 01 04; without any, all.")] = None,
    target: Annotated[
        Target | None, typer.Option(help="Where the calls go; without it, as the notebook says.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Directory for the executed notebooks [build/runs/<time>].")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="A notebook's parameter: name=value.")
    ] = None,
) -> None:
    """Run notebooks and print a table of the results.

    The exit code is 1 when a notebook fails and 130 when the run is interrupted.
    """
    chosen = notebooks.select(numbers or [])
    assignments = list(parameter or []) + ([f"target={target}"] if target else [])
    runs = [(notebook, notebooks.parse_parameters(assignments, notebook)) for notebook in chosen]
    on_aws = [
        notebook
        for notebook, parameters in runs
        if {**notebook.parameters(), **parameters}.get("target") == Target.AWS
    ]
    if on_aws:
        print(_check_aws(on_aws), file=sys.stderr)

    # jsonschema, on papermill's way in, spends more than a second at import on compiling a grammar
    # for internationalised addresses if it finds this package. Notebooks hold no such addresses.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    from helpers import batch

    # The table says what papermill and asyncio would log about a cell that did not end well.
    logging.disable(logging.CRITICAL)
    # Ended by a signal, the run still ends its kernels, and with them their local AWS.
    for number in STOPPING_SIGNALS:
        signal.signal(number, _interrupt)
    try:
        directory = batch.new_run_directory() if out is None else out
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(
            f"The executed notebooks cannot be written to {error.filename}: {error.strerror}. "
            "Make it writable, or name another directory by --out."
        ) from None
    results = batch.run_notebooks(runs, directory, show_progress=sys.stderr.isatty())
    print(batch.table(results))
    outcomes = {result.outcome for result in results}
    if on_aws and outcomes != {batch.Outcome.PASSED}:
        print("What a run left on AWS is deleted by `workshop sweep`.", file=sys.stderr)
    if batch.Outcome.INTERRUPTED in outcomes:
        raise typer.Exit(EXIT_INTERRUPTED)
    if batch.Outcome.FAILED in outcomes:
        raise typer.Exit(EXIT_FAILURE)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open JupyterLab on the index of the notebooks.

    Further options go to JupyterLab.
    """
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        f"--ServerApp.root_dir={notebooks.PROJECT_ROOT}",
        f"--LabApp.default_url=/lab/tree/{notebooks.NOTEBOOKS_DIRECTORY.name}/index.ipynb",
        "--ServerApp.ip=127.0.0.1",
        # Nothing of JupyterLab's own goes out: no news, no look for updates, no list of extensions.
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        *(["--allow-root"] if os.geteuid() == 0 else []),
        *context.args,
    ]
    # A kernel that the reader once registered under the same name must not be taken for ours.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.execv(sys.executable, command)


@app.command("doctor")
def examine() -> None:
    """Say what this machine has of what is needed.

    The exit code is 1 when something needed is missing.
    """
    from helpers import doctor

    findings = doctor.examine()
    print(doctor.report(findings))
    if any(finding.status is doctor.Status.MISSING for finding in findings):
        raise typer.Exit(EXIT_FAILURE)


@app.command("sweep")
def sweep_runs(
    runs: Annotated[
        list[str] | None, typer.Argument(help="Ids of runs; without any, all whose process is gone.")
    ] = None,
) -> None:
    """Delete what runs left behind that were killed.

    The exit code is 1 when something could not be deleted.
    """
    from helpers import sweep

    outcomes = set()
    try:
        for swept in sweep.swept_runs(runs or None):
            outcomes.add(swept.outcome)
            print(f"{swept.run_id}  {swept.outcome}: {swept.message}")
            for count in swept.counts:
                print(f"    {count.kind}: {count.deleted} of {count.created} deleted, {count.left} left")
    except sweep.UnknownRun as error:
        raise notebooks.UsageError(error) from error
    if not outcomes:
        print("There is nothing to sweep.")
    if sweep.FAILED in outcomes:
        raise typer.Exit(EXIT_FAILURE)


@local_app.command()
def start(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port on 127.0.0.1; a free one if not given.")
    ] = None,
    no_iam: Annotated[bool, typer.Option("--no-iam", help="Accept every request, also unsigned.")] = False,
    account: Annotated[str, typer.Option(help="The main account: 12 digits.")] = DEFAULT_ACCOUNT_ID,
) -> None:
    """Run a local AWS until Ctrl-C."""
    from helpers import local_announcement, local_aws

    if len(account) != 12 or not account.isdigit():
        raise notebooks.UsageError(
            f"--account {account}: an account id has 12 digits, such as {DEFAULT_ACCOUNT_ID}."
        )
    for number in STOPPING_SIGNALS:
        signal.signal(number, _interrupt)
    running = local_aws.start(port, account, enforce_iam=not no_iam)
    try:
        with local_announcement.announced(running, time.time()):
            print(f"The local AWS listens at {running.endpoint_url}; its log is {running.log_path}.")
            print('In another shell: eval "$(workshop local env)". Ctrl-C stops it.', flush=True)
            running.process.wait()
            running.check_alive()
    except KeyboardInterrupt:
        print("Stopping.", file=sys.stderr)
    except local_aws.LocalAwsStopped as error:
        raise Failure(f"The local AWS has stopped by itself; its log is {running.log_path}.") from error
    finally:
        running.stop()


@local_app.command("env")
def environment() -> None:
    """Print shell commands that point AWS clients at it: eval "$(workshop local env)".

    Of several local AWS, the newest is used.
    """
    from helpers import local_announcement

    found = local_announcement.running()
    if not found:
        raise Failure("No local AWS runs. Start one in another shell: workshop local start")
    if len(found) > 1:
        others = ", ".join(other.endpoint_url for other in found[1:])
        print(f"workshop: using the newest of {len(found)}; also running: {others}.", file=sys.stderr)
    print(local_announcement.export_lines(found[0]))


def _check_aws(on_aws: list[notebooks.Notebook]) -> str:
    """What running these notebooks on AWS uses and costs. Raises Failure where it cannot work."""
    from botocore.exceptions import BotoCoreError

    from helpers.doctor import credential_source

    bill = "It creates real resources in your account, deletes them at its end, and costs:"
    for notebook in on_aws:
        facts = "; ".join(f"{label}: {value}" for label, value in notebook.facts().items())
        bill += f"\n  {notebook.number} {notebook.title} ({facts})"
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        raise Failure(f"This shell sends AWS calls to {endpoint}, not to AWS. Unset AWS_ENDPOINT_URL first.")
    try:
        source = credential_source()
    except BotoCoreError as error:
        raise Failure(f"Running on AWS needs credentials: {error}. {bill}") from error
    if source is None:
        raise Failure(
            "Running on AWS needs credentials, and none were found. Give some, for example by "
            f"`aws configure sso` and AWS_PROFILE, or leave the target out to run locally for nothing. {bill}"
        )
    return f"Running on AWS with the credentials found by: {source}. {bill}"


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Entry point. An expected problem is one line on standard error and an exit code: 2 for a wrong
    request, 1 for a failure."""
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    try:
        app()
    except notebooks.UsageError as error:
        sys.exit(_complain(error, EXIT_USAGE))
    except (Failure, LocalAwsNotStarted) as error:
        sys.exit(_complain(error, EXIT_FAILURE))


def _complain(problem: object, exit_code: int) -> int:
    print(f"workshop: {problem}", file=sys.stderr)
    return exit_code
