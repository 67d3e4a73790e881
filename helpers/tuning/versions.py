"""Versions and aliases of a function, one a memory size, that exist as long as a tuning run.

Before a run changes the function it notes what to put back, and it notes that in AWS, where a kill of this
process loses nothing: an alias of $LATEST, whose name holds the memory and whose description holds the
function's own. Everything else that the run makes carries its marker as description, $LATEST included.
"""

import contextlib
import re
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from helpers.function_configuration import publish, update
from helpers.tuning.lock import alone

_NOTE = re.compile(r"(?P<marker>power-tuning-[0-9a-f]{12})-(?P<memory_mb>\d+)MB")


class AliasTaken(RuntimeError):
    """The function has an alias of its own with a name that the run needs."""


@dataclass(frozen=True)
class _Note:
    """What a run puts back, and the marker of what it made."""

    marker: str
    memory_mb: int
    description: str

    @property
    def alias(self) -> str:
        return f"{self.marker}-{self.memory_mb}MB"


class TemporarySizes:
    """Publishes memory sizes of one function; each is invoked by its alias."""

    def __init__(self, lambda_client: Any, function_name: str, marker: str) -> None:
        self._lambda = lambda_client
        self._function_name = function_name
        self._marker = marker
        self._versions: dict[str, str] = {}

    def add(self, memory_mb: int, alias: str) -> None:
        """Publish a version with that memory and an alias for it.

        Every version is a new one, whatever its memory, and so begins with a cold start. Raises ClientError
        when Lambda refuses the size, WaiterError when the version does not become active.
        """
        # Lambda publishes nothing unless something has changed, so each description is another one.
        description = f"{self._marker} {alias}"
        update(self._lambda, self._function_name, MemorySize=memory_mb, Description=description)
        version = self._versions[alias] = publish(self._lambda, self._function_name)
        self._lambda.create_alias(
            FunctionName=self._function_name, Name=alias, FunctionVersion=version, Description=self._marker
        )

    def remove(self, alias: str) -> None:
        """Remove a size as soon as it has served; the end of the run removes the others."""
        self._lambda.delete_alias(FunctionName=self._function_name, Name=alias)
        self._lambda.delete_function(FunctionName=self._function_name, Qualifier=self._versions.pop(alias))


@contextlib.contextmanager
def temporary_sizes(
    lambda_client: Any, configuration: dict[str, Any], aliases: Iterable[str]
) -> Iterator[TemporarySizes]:
    """Yield what publishes sizes; at the end, also after an error or an interrupt, the function is as it was.

    `configuration` is the function's own, `aliases` are the names that will be needed. What a run that was
    killed has left of the function is removed first, and its memory and description are put back: then
    the configuration is read again.

    Raises BeingTuned, or AliasTaken before anything is changed.
    """
    function_name = configuration["FunctionName"]
    with alone(configuration["FunctionArn"], lambda_client.meta.endpoint_url):
        for note in _notes(lambda_client, function_name):
            _undo(lambda_client, function_name, note)
            configuration = lambda_client.get_function_configuration(FunctionName=function_name)
        _refuse_taken(lambda_client, function_name, aliases)
        note = _Note(
            f"power-tuning-{uuid.uuid4().hex[:12]}",
            configuration["MemorySize"],
            configuration.get("Description", ""),
        )
        try:
            lambda_client.create_alias(
                FunctionName=function_name,
                Name=note.alias,
                FunctionVersion="$LATEST",
                Description=note.description,
            )
            yield TemporarySizes(lambda_client, function_name, note.marker)
        finally:
            try:
                _undo(lambda_client, function_name, note)
            except KeyboardInterrupt:
                # It is the run that should end at once, not its clean-up; many interrupt twice.
                _undo(lambda_client, function_name, note)
                raise


def _undo(lambda_client: Any, function_name: str, note: _Note) -> None:
    """Put back what a run changed and remove what it made, the note last, so that nothing is forgotten."""
    try:
        latest = lambda_client.get_function_configuration(FunctionName=function_name)
        # Another description is the user's, who has then changed the function since.
        if latest.get("Description", "").startswith(note.marker):
            update(lambda_client, function_name, MemorySize=note.memory_mb, Description=note.description)
    finally:
        for alias in _aliases(lambda_client, function_name):
            if alias.get("Description") == note.marker:
                lambda_client.delete_alias(FunctionName=function_name, Name=alias["Name"])
        for version in _marked_versions(lambda_client, function_name, note.marker):
            lambda_client.delete_function(FunctionName=function_name, Qualifier=version)
    with contextlib.suppress(lambda_client.exceptions.ResourceNotFoundException):
        lambda_client.delete_alias(FunctionName=function_name, Name=note.alias)


def _notes(lambda_client: Any, function_name: str) -> list[_Note]:
    matches = [
        (_NOTE.fullmatch(alias["Name"]), alias.get("Description", ""))
        for alias in _aliases(lambda_client, function_name)
    ]
    return [
        _Note(match["marker"], int(match["memory_mb"]), description)
        for match, description in matches
        if match is not None
    ]


def _refuse_taken(lambda_client: Any, function_name: str, aliases: Iterable[str]) -> None:
    existing = {alias["Name"] for alias in _aliases(lambda_client, function_name)}
    taken = sorted(existing.intersection(aliases))
    if taken:
        raise AliasTaken(
            f"{function_name} has an alias {taken[0]} that power tuning has not made, and needs its name. "
            "Delete the alias, give it another name, or leave its size out of power_values."
        )


def _aliases(lambda_client: Any, function_name: str) -> list[dict[str, Any]]:
    pages = lambda_client.get_paginator("list_aliases").paginate(FunctionName=function_name)
    return [alias for page in pages for alias in page["Aliases"]]


def _marked_versions(lambda_client: Any, function_name: str, marker: str) -> list[str]:
    pages = lambda_client.get_paginator("list_versions_by_function").paginate(FunctionName=function_name)
    return [
        version["Version"]
        for page in pages
        for version in page["Versions"]
        if version.get("Description", "").startswith(marker) and version["Version"] != "$LATEST"
    ]
