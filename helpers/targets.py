"""Where a notebook's calls go: the local AWS, or the reader's account. Both make boto3 clients alike."""

import contextlib
import functools
import os
import socket
import subprocess
import threading
from typing import Any, Protocol
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError
from botocore.parsers import ResponseParserError

from helpers.local_aws import SECRET_ACCESS_KEY, LocalAws, LocalAwsStopped

# AWS Organizations creates this role in every account that it creates.
DEFAULT_ACCOUNT_ROLE = "OrganizationAccountAccessRole"
# Synchronous calls take as long as what they run: 15 minutes for a function, 5 for an express workflow.
# A client that gave up earlier would send the call again.
READ_TIMEOUT_S = {"lambda": 910, "stepfunctions": 310}
DEFAULT_READ_TIMEOUT_S = 60
CONNECT_TIMEOUT_S = 1.0
LAST_BREATH_S = 5.0

# Clients may be used by several threads, but sessions may not make them in several threads.
_MAKING_CLIENTS = threading.Lock()

# Settings of botocore that the reader's environment or configuration files could change.
_IGNORED_SETTINGS = ("profile", "ca_bundle", "use_fips_endpoint", "use_dualstack_endpoint")


class CredentialsMissing(RuntimeError):
    """No usable credentials for the reader's own account; the message says what they would be used for."""


class Target(Protocol):
    """What Workshop and sweep need of a target."""

    name: str
    account_id: str
    endpoint_url: str | None
    # Whether everything in it is gone once this process has ended.
    ends_with_process: bool

    def client(
        self,
        service: str,
        region: str,
        account_id: str,
        credentials: dict[str, str] | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
    ) -> BaseClient:
        """A boto3 client that acts in the account, or with `credentials` as STS returns them."""
        ...


class LocalTarget:
    """The local AWS, with the root user of every account that is asked for."""

    name = "local"

    def __init__(self, endpoint_url: str, account_id: str, running: LocalAws | None = None) -> None:
        self.endpoint_url: str | None = endpoint_url
        self.account_id = account_id
        self.ends_with_process = running is not None
        self._running = running
        self._session = _session_without_configuration()

    def client(
        self,
        service: str,
        region: str,
        account_id: str,
        credentials: dict[str, str] | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
    ) -> BaseClient:
        """See Target. Every client says in one line when the local AWS has stopped."""
        settings = Config(
            inject_host_prefix=False,
            s3={"addressing_style": "path"},
            # Never through a proxy that the environment names.
            proxies={},
            retries={"mode": "standard"},
            read_timeout=READ_TIMEOUT_S.get(service, DEFAULT_READ_TIMEOUT_S),
        )
        root = {"aws_access_key_id": account_id, "aws_secret_access_key": SECRET_ACCESS_KEY}
        with _MAKING_CLIENTS:
            client = self._session.client(
                service,
                region_name=region,
                endpoint_url=endpoint_url or self.endpoint_url,
                config=settings.merge(config) if config else settings,
                **(_keywords(credentials) if credentials else root),
            )
        # First, because botocore would try again for seconds.
        client.meta.events.register_first("needs-retry", self._raise_when_stopped)
        return client

    def is_there(self) -> bool:
        """Whether the endpoint is still an AWS, and not nothing or another program."""
        quick = Config(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=5, retries={"total_max_attempts": 1})
        try:
            sts = self.client("sts", "us-east-1", self.account_id, config=quick)
            return bool(sts.get_caller_identity()["Account"] == self.account_id)
        except (BotoCoreError, ClientError, ResponseParserError, LocalAwsStopped):
            return False

    def accepts_connections(self) -> bool:
        """Whether something listens at the endpoint."""
        address = urlsplit(self.endpoint_url or "")
        try:
            socket.create_connection(
                (str(address.hostname), int(address.port or 80)), CONNECT_TIMEOUT_S
            ).close()
        except OSError:
            return False
        return True

    def _raise_when_stopped(self, caught_exception: Exception | None, **_: Any) -> None:
        if not isinstance(caught_exception, ConnectionError | HTTPClientError) or self.accepts_connections():
            return
        if self._running is not None:
            # The emulator is gone; the process that started it may still be tidying up.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._running.process.wait(LAST_BREATH_S)
            self._running.check_alive()
        raise LocalAwsStopped(
            f"The local AWS at {self.endpoint_url} has stopped. Start it again, or restart the kernel."
        ) from None


class AwsTarget:
    """The reader's account, by boto3's default credentials; other accounts by a role in them.

    Raises CredentialsMissing when there are none, they are expired, or they belong to an account
    other than `account_id`.
    """

    name = "aws"
    ends_with_process = False

    def __init__(
        self, region: str, account_id: str | None = None, account_role: str = DEFAULT_ACCOUNT_ROLE
    ) -> None:
        self.endpoint_url: str | None = None
        self._region = region
        self._role = account_role
        self._core = botocore.session.Session()
        self._sessions_by_account: dict[str, boto3.Session] = {}
        place = f"account {account_id or 'of your credentials'}, {region}"
        try:
            self._session = boto3.Session(botocore_session=self._core)
            identity = self._session.client("sts", region_name=region).get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise CredentialsMissing(
                f"target='aws' creates resources in your AWS account ({place}), and AWS charges for them: "
                "the notebook's first table says how much. It needs credentials, and boto3 has none that "
                f"work ({error}). Run `aws configure` or `aws sso login`, or set AWS_PROFILE; or stay with "
                "target='local', which needs no account and costs nothing."
            ) from None
        self.account_id = str(identity["Account"])
        if account_id not in (None, self.account_id):
            raise CredentialsMissing(
                f"target='aws' was asked to use {place}, but boto3's credentials are those of account "
                f"{masked(self.account_id)}. Set AWS_PROFILE to the right one, or leave the account out."
            )

    def client(
        self,
        service: str,
        region: str,
        account_id: str,
        credentials: dict[str, str] | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
    ) -> BaseClient:
        """See Target."""
        settings = Config(
            retries={"mode": "standard"}, read_timeout=READ_TIMEOUT_S.get(service, DEFAULT_READ_TIMEOUT_S)
        )
        session = self._session if credentials else self._session_in(account_id)
        with _MAKING_CLIENTS:
            return session.client(
                service,
                region_name=region,
                endpoint_url=endpoint_url,
                config=settings.merge(config) if config else settings,
                **(_keywords(credentials) if credentials else {}),
            )

    def _session_in(self, account_id: str) -> boto3.Session:
        if account_id == self.account_id:
            return self._session
        if account_id not in self._sessions_by_account:
            core = botocore.session.Session()
            fetcher = AssumeRoleCredentialFetcher(
                functools.partial(self._core.create_client, region_name=self._region),
                self._core.get_credentials(),
                f"arn:aws:iam::{account_id}:role/{self._role}",
            )
            # Sessions have no public way to take credentials that renew themselves.
            core._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
            self._sessions_by_account[account_id] = boto3.Session(botocore_session=core)
        return self._sessions_by_account[account_id]


def masked(account_id: str) -> str:
    """An account id of which only the last four digits can be read."""
    return f"{'*' * 8}{account_id[-4:]}"


def _keywords(credentials: dict[str, str]) -> dict[str, str]:
    """Credentials as STS returns them, as keyword arguments of a client."""
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


@functools.cache
def _session_without_configuration() -> boto3.Session:
    """A session that the reader's AWS profile, configuration files and variables do not reach.

    One for the process, because each session reads the service models anew.
    """
    no_file = (None, None, os.devnull, None)
    ignored: dict[str, Any] = dict.fromkeys(_IGNORED_SETTINGS, (None, None, None, None))
    files = {"config_file": no_file, "credentials_file": no_file}
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=ignored | files))
