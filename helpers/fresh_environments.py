"""Make Lambda start new execution environments of functions, and put the functions back afterwards.

Any change of a function's configuration does it (AWS Lambda Developer Guide, "Understanding the Lambda
execution environment lifecycle"): here a new value of one environment variable. A version published then
(the same guide, "Manage Lambda function versions") is one that nobody else invokes.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, get_args

from helpers.function_configuration import publish, update, variables_of, wait_updated

NONCE = "COLD_START_NONCE"

By = Literal["nonce", "version"]


class FreshEnvironments:
    """Functions whose environments can be renewed. `qualifier(name)` is what to invoke then.

    `log_group_names` are the log groups of the functions.
    """

    def __init__(self, lambda_client: Any, by: By) -> None:
        self._lambda_client = lambda_client
        self._marker = f"cold start {uuid.uuid4().hex[:12]}"
        self._by_version = by == "version"
        self._variables: dict[str, dict[str, str]] = {}
        self._versions: dict[str, str] = {}
        self.log_group_names: list[str] = []

    def add(self, function_name: str, undo: ExitStack) -> None:
        """Take a function in; `undo` restores its configuration and removes what was published here.

        Raises ValueError when its variables cannot be read.
        """
        configuration = self._lambda_client.get_function_configuration(FunctionName=function_name)
        self._variables[function_name] = variables_of(configuration)
        own_log_group = f"/aws/lambda/{configuration['FunctionName']}"
        self.log_group_names.append(configuration.get("LoggingConfig", {}).get("LogGroup", own_log_group))
        undo.callback(self._restore, function_name, configuration.get("Description", ""))

    def renew(self, function_names: Sequence[str]) -> None:
        """Change all of these functions and then wait for all, so that the waits overlap."""
        for name in function_names:
            variables = {**self._variables[name], NONCE: uuid.uuid4().hex}
            changes: dict[str, Any] = {"Environment": {"Variables": variables}}
            if self._by_version:
                changes["Description"] = self._marker
            self._lambda_client.update_function_configuration(FunctionName=name, **changes)
        for name in function_names:
            wait_updated(self._lambda_client, name)
            if self._by_version:
                self._publish(name)

    def qualifier(self, function_name: str) -> str:
        return self._versions.get(function_name, "$LATEST")

    def _restore(self, function_name: str, description: str) -> None:
        original: dict[str, Any] = {"Environment": {"Variables": self._variables[function_name]}}
        if self._by_version:
            original["Description"] = description
        try:
            update(self._lambda_client, function_name, **original)
        finally:
            if self._by_version:
                self._remove_versions(function_name)

    def _publish(self, function_name: str) -> None:
        """A new version takes the place of the last one, whose code would count against the account."""
        last = self._versions.get(function_name)
        self._versions[function_name] = publish(self._lambda_client, function_name)
        if last is not None:
            self._lambda_client.delete_function(FunctionName=function_name, Qualifier=last)

    def _remove_versions(self, function_name: str) -> None:
        """Those that carry the marker: an interrupt may have come before a version's number was known."""
        pages = self._lambda_client.get_paginator("list_versions_by_function")
        for page in pages.paginate(FunctionName=function_name):
            for version in page["Versions"]:
                if version["Version"] != "$LATEST" and version.get("Description") == self._marker:
                    self._lambda_client.delete_function(
                        FunctionName=function_name, Qualifier=version["Version"]
                    )


@contextmanager
def fresh_environments(
    lambda_client: Any, function_names: Sequence[str], by: By
) -> Iterator[FreshEnvironments]:
    """Yield the functions as FreshEnvironments; at the end they are as they were, also after an error."""
    if by not in get_args(By):
        raise ValueError(f"by is one of {', '.join(get_args(By))}, not {by!r}.")
    fresh = FreshEnvironments(lambda_client, by)
    with ExitStack() as undo:
        for name in function_names:
            fresh.add(name, undo)
        yield fresh
