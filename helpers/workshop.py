"""What every notebook begins and ends with: `ws = Workshop("01")`, `ws.client("lambda")`, `ws.cleanup()`."""

import atexit
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.client import BaseClient
from botocore.config import Config

from helpers import eventual_consistency, local_aws, waiting
from helpers.cleaning import KindCount, clean
from helpers.ledger import Ledger, Run
from helpers.local_aws import DEFAULT_ACCOUNT_ID, LocalAws, cache_directory
from helpers.names import NOTEBOOK_TAG, RUN_TAG, new_run_id, resource_name
from helpers.recording import Recorder
from helpers.targets import DEFAULT_ACCOUNT_ROLE, AwsTarget, LocalTarget, Target, masked

if TYPE_CHECKING:
    import pandas

# Use this local AWS instead of starting one, for example that of `workshop local start`.
ENDPOINT_VARIABLE = "WORKSHOP_ENDPOINT_URL"
# Nothing takes long here; on AWS a load balancer's or an endpoint's network interfaces take minutes.
CLEANUP_TIMEOUT_S = {"local": 60.0, "aws": 900.0}

_local_aws: LocalAws | None = None


class Workshop:
    """One run of a notebook: its clients, names and directory, and everything it creates.

    `target="local"` (the default) uses a local AWS that is started when the first Workshop of a
    process asks for it, is shared by later ones, and ends with the process. `target="aws"` uses
    the reader's account through boto3's default credentials. `account` (12 digits) is checked
    against them; other accounts are entered by assuming `account_role` there.

    Raises LocalAwsNotStarted, CredentialsMissing, or LedgerNotWritable when what is created could
    not be noted; in all three cases nothing has been created.
    """

    def __init__(
        self,
        notebook: str,
        target: str = "local",
        region: str = "us-east-1",
        account: str | None = None,
        account_role: str = DEFAULT_ACCOUNT_ROLE,
    ) -> None:
        self.run_id = new_run_id(notebook)
        self.region = region
        self._target = _target(target, region, account, account_role)
        self.target = self._target.name
        self.account_id = self._target.account_id
        self._ledger = Ledger.create(
            Run(
                run_id=self.run_id,
                target=self.target,
                account_id=self.account_id,
                region=region,
                endpoint_url=self._target.endpoint_url,
                account_role=account_role,
            )
        )
        self._recorder = Recorder(self._ledger)
        self.tags = {RUN_TAG: self.run_id, NOTEBOOK_TAG: notebook}
        atexit.register(self._at_exit)
        if self.target == "aws":
            print(
                f"Run {self.run_id} creates resources in AWS account {masked(self.account_id)}, {region}. "
                "AWS charges for them until ws.cleanup() has deleted them."
            )

    @property
    def endpoint_url(self) -> str | None:
        """Where the local AWS listens; None on AWS."""
        return self._target.endpoint_url

    @property
    def ledger_path(self) -> Path:
        """The file in which everything that this run creates is noted."""
        return self._ledger.path

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """`tags` in the form that most older services want: `[{"Key": ..., "Value": ...}]`."""
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]

    @property
    def directory(self) -> Path:
        """A directory for the files of this run, such as function code. Cleaning up removes it."""
        path = run_directory(self.run_id)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def name(self, label: str, max_length: int | None = None, separator: str = "-") -> str:
        """A name that carries the run's id: `ws.name("orders")` is `w01-3f9a2c-orders`.

        `max_length` is for services that allow few characters, `separator` ("_" or "") for those
        that refuse hyphens.
        """
        return resource_name(self.run_id, label, max_length, separator)

    def tag_specifications(self, resource_type: str) -> list[dict[str, Any]]:
        """`tags` in the form that EC2 wants when it creates a `resource_type`, such as "vpc"."""
        return [{"ResourceType": resource_type, "Tags": self.tag_list}]

    def client(
        self,
        service: str,
        region: str | None = None,
        account: str | None = None,
        credentials: dict[str, str] | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
    ) -> Any:
        """A boto3 client whose creating calls are noted, so that `cleanup` can undo them.

        It acts in the run's own Region and account unless others are given. `credentials` are those
        of an assumed role, as STS returns them; `account` then says in which account they create.
        `endpoint_url` is for data planes with an address of their own.
        """
        region, account = region or self.region, account or self.account_id
        client: BaseClient = self._target.client(service, region, account, credentials, endpoint_url, config)
        self._recorder.watch(client, account, region)
        if self.target == "aws":
            eventual_consistency.install(client)
        return client

    def wait_for_message(self, queue_url: str, timeout_s: float = 30.0, region: str | None = None) -> Any:
        """See waiting.wait_for_message: the next message of a queue, taken out of it."""
        sqs = self._target.client("sqs", region or self.region, self.account_id)
        return waiting.wait_for_message(sqs, queue_url, timeout_s)

    def cleanup(self, timeout_s: float | None = None) -> "pandas.DataFrame":
        """Delete everything that this run created and prove it.

        Returns a table: for each kind of resource how many were created, deleted and left. Raises
        ResourcesLeft, which names what is left and why; then it can simply be called again.
        """
        if timeout_s is None:
            timeout_s = CLEANUP_TIMEOUT_S[self.target]
        counts = clean(self._ledger, self._target.client, timeout_s)
        self._ledger.clear()
        shutil.rmtree(run_directory(self.run_id), ignore_errors=True)
        return _frame(counts)

    def _at_exit(self) -> None:
        shutil.rmtree(run_directory(self.run_id), ignore_errors=True)
        if not self._ledger.entries or self._target.ends_with_process:
            self._ledger.remove()
        # A ledger that is gone was swept.
        if not self._ledger.path.exists():
            return
        print(
            f"Run {self.run_id} ends without ws.cleanup(): what it created is still there. "
            "`workshop sweep` deletes it.",
            file=sys.stderr,
        )

    def __repr__(self) -> str:
        where = f"the local AWS at {self.endpoint_url}" if self.target == "local" else "AWS"
        account = self.account_id if self.target == "local" else masked(self.account_id)
        return f"<Workshop run {self.run_id} on {where}, account {account}, {self.region}>"


def run_directory(run_id: str) -> Path:
    """Where the files of a run are."""
    return cache_directory() / "runs" / run_id


def _target(name: str, region: str, account: str | None, account_role: str) -> Target:
    if name == "aws":
        return AwsTarget(region, account, account_role)
    if name != "local":
        raise ValueError(f"target={name!r}: expected 'local' or 'aws'.")
    # Nothing of a local run ever looks for credentials on the network.
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    account = account or DEFAULT_ACCOUNT_ID
    endpoint_url = os.environ.get(ENDPOINT_VARIABLE)
    if endpoint_url:
        target = LocalTarget(endpoint_url, account)
        if not target.is_there():
            raise local_aws.LocalAwsNotStarted(
                f"There is no local AWS at {endpoint_url}, which {ENDPOINT_VARIABLE} names. "
                "Start a local AWS there (`workshop local start`), or unset the variable."
            )
        return target
    running = _running_local_aws(account)
    return LocalTarget(running.endpoint_url, account, running)


def _running_local_aws(account: str) -> LocalAws:
    """The local AWS of this process, started when there is none or the last one has ended."""
    global _local_aws
    if _local_aws is None or _local_aws.process.poll() is not None:
        _local_aws = local_aws.start(account_id=account)
        atexit.register(_local_aws.stop)
    return _local_aws


def _frame(counts: list[KindCount]) -> "pandas.DataFrame":
    import pandas

    rows = [vars(count) for count in counts]
    return pandas.DataFrame(rows, columns=["kind", "created", "deleted", "left"]).set_index("kind")
