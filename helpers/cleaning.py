"""Delete what a run created, and prove that nothing of it is left.

Everything is deleted in the reverse order of its creation. What AWS refuses to delete, because
something still depends on it or is on its way, is tried again. The proof is a listing: every kind
of resource of every service that the run used, in every account and Region that it used, is
listed until nothing carries the run's mark any more.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore import xform_name
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from tqdm import tqdm

from helpers import inverses
from helpers.inverses import Contents, Kind
from helpers.ledger import Ledger

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0
PROGRESS_AFTER_S = 3.0

GONE = re.compile(
    r"NotFound|NoSuch|NonExistent|DoesNotExist|NotExist|not found|does not exist|pending deletion",
    re.IGNORECASE,
)
NOT_IMPLEMENTED = re.compile(
    r"NotImplemented|not implemented|InvalidAction|UnknownOperation|Unknown action|Unknown .*path",
    re.IGNORECASE,
)

HOPELESS = re.compile(
    rf"AccessDenied|Unauthorized|UnrecognizedClient|InvalidClientToken|ExpiredToken|OptIn|{NOT_IMPLEMENTED.pattern}",
    re.IGNORECASE,
)

# (service, region, account id) -> client
ClientFactory = Callable[[str, str, str], BaseClient]


class ResourcesLeft(RuntimeError):
    """Not everything could be deleted, or it could not be proven; the message names what and why."""


@dataclass(frozen=True)
class KindCount:
    """How many resources of a kind there were, how many were deleted and how many are left."""

    kind: str
    created: int
    deleted: int
    left: int


@dataclass
class Resource:
    """One thing to delete. `position` is that of the creating call in the ledger."""

    kind: Kind
    identity: dict[str, Any]
    account_id: str
    region: str
    position: float

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Equal for the same resource, whether it is known from the ledger or from a listing."""
        region = "" if inverses.table(self.kind.service).is_global else self.region
        return self.kind.key, self.account_id, region, json.dumps(self.identity, sort_keys=True)

    def __str__(self) -> str:
        names = " ".join(str(value) for value in self.identity.values())
        return f"{self.kind.title} {names} (account {self.account_id}, {self.region})"


Resources = dict[tuple[str, str, str, str], Resource]


def clean(ledger: Ledger, client_for: ClientFactory, timeout_s: float) -> list[KindCount]:
    """Delete everything that the run created.

    Returns how much there was of each kind, in the order of creation. Raises ResourcesLeft when
    something is still there after `timeout_s`, or cannot be deleted or listed at all.
    """
    return _Cleaning(ledger, client_for).run(timeout_s)


class _Cleaning:
    def __init__(self, ledger: Ledger, client_for: ClientFactory) -> None:
        self._ledger = ledger
        self._client_for = client_for
        self._clients: dict[tuple[str, str, str], BaseClient] = {}
        # Every resource that was ever seen, and why it, or the listing of its kind, failed last.
        self._created: Resources = {}
        self._problems: dict[str, str] = {}

    def run(self, timeout_s: float) -> list[KindCount]:
        deadline = time.monotonic() + timeout_s
        pause_s = FIRST_PAUSE_S
        remaining = self._find() | {resource.key: resource for resource in self._noted()}
        while remaining:
            self._problems.clear()
            undeleted = self._delete(remaining)
            remaining = self._find() | undeleted
            if self._is_hopeless(remaining) or time.monotonic() > deadline:
                break
            if remaining:
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        if remaining or self._problems:
            raise ResourcesLeft(self._complaint(remaining))
        return self._counts()

    def _is_hopeless(self, remaining: Resources) -> bool:
        """Whether trying again would only fail again."""
        why = [self._problems.get(str(resource), "") for resource in remaining.values()]
        return bool(remaining) and all(map(HOPELESS.search, why))

    def _noted(self) -> Iterator[Resource]:
        for entry in self._ledger.entries:
            if entry.identity is None:
                continue
            resource = Resource(entry.kind, entry.identity, entry.account_id, entry.region, entry.number)
            if entry.answered:
                self._created[resource.key] = resource
            yield resource

    def _delete(self, resources: Resources) -> Resources:
        """Try to delete each one, the youngest first, and return those that AWS did not delete."""
        youngest_first = sorted(resources.values(), key=lambda resource: -resource.position)
        undeleted = {}
        for resource in tqdm(
            youngest_first, desc="Cleaning up", delay=PROGRESS_AFTER_S, leave=False, file=sys.stderr
        ):
            try:
                self._delete_one(resource)
            except ClientError as error:
                if not GONE.search(_text(error)):
                    undeleted[resource.key] = resource
                    self._problems[str(resource)] = _text(error)
        return undeleted

    def _delete_one(self, resource: Resource) -> None:
        assert resource.kind.delete is not None
        for contents in resource.kind.contents:
            self._take_out(resource, contents)
        parameters = resource.identity | resource.kind.delete_parameters
        self._method(resource, resource.kind.delete)(**parameters)

    def _take_out(self, resource: Resource, contents: Contents) -> None:
        whole = listed_by = resource.identity
        if contents.parameters is not None:
            whole = listed_by = inverses.pick(contents.parameters, resource.identity) or {}
        if contents.list_parameters is not None:
            listed_by = inverses.pick(contents.list_parameters, resource.identity) or {}
        delete = self._method(resource, contents.delete)
        client = self._client(resource.kind.service, resource.region, resource.account_id)
        for page in _pages(client, contents.list, listed_by):
            for item in inverses.search(contents.items, page) or []:
                delete(**whole, **item)

    def _find(self) -> Resources:
        """Everything that carries the run's mark, by listing each service that the run used."""
        entries = self._ledger.entries
        # A replica or a log group may be in any place that the run used, so each service is listed in all.
        places = {(entry.account_id, entry.region) for entry in entries}
        accounts = dict(sorted(places))
        services = {entry.service for entry in entries}
        services |= {key.split(".")[0] for entry in entries for key in entry.call.implies}
        found = {}
        for service in sorted(services):
            is_global = inverses.table(service).is_global
            for account_id, region in accounts.items() if is_global else sorted(places):
                for kind in inverses.table(service).kinds.values():
                    for resource in self._find_kind(kind, account_id, region):
                        found[resource.key] = resource
                        self._created.setdefault(resource.key, resource)
        return found

    def _find_kind(self, kind: Kind, account_id: str, region: str) -> Iterator[Resource]:
        if kind.delete is None:
            return
        try:
            for item in self._items(kind, account_id, region):
                identity = inverses.pick(kind.identity, item)
                if identity is not None and self._is_of_this_run(kind, identity, item):
                    yield Resource(kind, identity, account_id, region, self._position(kind))
        except ClientError as error:
            created_here = any(entry.kind == kind for entry in self._ledger.entries)
            # Where a service cannot list a kind, and none was created, there is none.
            if created_here or not NOT_IMPLEMENTED.search(_text(error)):
                self._problems[f"listing {kind.title} (account {account_id}, {region})"] = _text(error)

    def _is_of_this_run(self, kind: Kind, identity: dict[str, Any], item: dict[str, Any]) -> bool:
        """By its identity or its mark only: somebody else's resource may well refer to one of this run."""
        if kind.present is not None and not inverses.search(kind.present, item):
            return False
        mark = inverses.search(kind.marked, item) if kind.marked else None
        return self._ledger.marks.carried_by([identity, mark])

    def _items(self, kind: Kind, account_id: str, region: str) -> Iterator[dict[str, Any]]:
        """What AWS says of each item of a kind, with the parameters by which it was listed."""
        client = self._client(kind.service, region, account_id)
        wholes: list[dict[str, Any]] = [{}]
        if kind.within is not None:
            parent = inverses.table(kind.service).kinds[kind.within.kind]
            listed = self._items(parent, account_id, region)
            wholes = [inverses.pick(kind.within.parameters, item) or {} for item in listed]
        for whole in wholes:
            try:
                for page in _pages(client, kind.list, whole | kind.list_parameters):
                    for item in inverses.search(kind.items, page) or []:
                        yield whole | item | self._details(client, kind, item)
            except ClientError as error:
                # The whole may have been deleted since it was listed, and its parts with it.
                if kind.within is None or not GONE.search(_text(error)):
                    raise

    def _details(self, client: BaseClient, kind: Kind, item: dict[str, Any]) -> dict[str, Any]:
        if kind.details is None:
            return {}
        answer = getattr(client, xform_name(kind.details.call))(
            **(inverses.pick(kind.details.parameters, item) or {})
        )
        answer.pop("ResponseMetadata")
        return dict(answer)

    def _position(self, kind: Kind) -> float:
        """Where what was only found in a listing stands: before every call that may have made it.

        So a log group is deleted after the functions that write into it, and what no call explains,
        such as the parts of a stack, comes last.
        """
        by_itself = [entry.number for entry in self._ledger.entries if entry.kind == kind]
        on_the_way = [entry.number for entry in self._ledger.entries if kind.key in entry.call.implies]
        numbers = by_itself + on_the_way
        return min(numbers, default=0.5) - 0.5

    def _method(self, resource: Resource, operation: str) -> Callable[..., Any]:
        client = self._client(resource.kind.service, resource.region, resource.account_id)
        method: Callable[..., Any] = getattr(client, xform_name(operation))
        return method

    def _client(self, service: str, region: str, account_id: str) -> BaseClient:
        place = (service, region, account_id)
        if place not in self._clients:
            self._clients[place] = self._client_for(*place)
        return self._clients[place]

    def _complaint(self, remaining: Resources) -> str:
        lines = [f"{what}: {why}" for what, why in self._problems.items()]
        lines += [
            f"{resource}: still listed"
            for resource in remaining.values()
            if str(resource) not in self._problems
        ]
        return f"Run {self._ledger.run.run_id} has left something behind:\n  " + "\n  ".join(lines)

    def _counts(self) -> list[KindCount]:
        titles: dict[str, int] = {}
        for resource in sorted(self._created.values(), key=lambda resource: resource.position):
            titles[resource.kind.title] = titles.get(resource.kind.title, 0) + 1
        return [KindCount(title, count, count, 0) for title, count in titles.items()]


def _pages(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Iterator[dict[str, Any]]:
    method = xform_name(operation)
    if client.can_paginate(method):
        yield from client.get_paginator(method).paginate(**parameters)
    else:
        yield getattr(client, method)(**parameters)


def _text(error: ClientError) -> str:
    details = error.response.get("Error", {})
    return f"{details.get('Code')}: {details.get('Message')}"
