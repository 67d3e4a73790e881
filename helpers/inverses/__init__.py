"""Which calls create something, what it is, and the call that deletes it: the tables beside this module.

One TOML file for each service, named as in `boto3.client(NAME)`. It says of every call that creates
something, or adds to something, what becomes of it:

`[calls.OPERATION]`: it creates something that is deleted by a call of its own.
    creates       the kind, described in the same file
    identity      the parameters of the deleting call, each taken from `request` or `response`
    marked        what has to carry the run's id; the identity, when that is all in the request
    implies       kinds that the service makes later because of this call, with the run's id or an
                  id that AWS generated for this run in their names

`[part_of]`, a path in `request` = operations: what they make is part of what the path names, and is
    deleted with it. What it names has to be the run's own.
`[leaves_nothing]` and `[refused]`, operation = reason: the call is let through, or never sent.

`[kinds.KIND]`: something that can be listed and deleted.
    list, items   the call that lists it, and where the items are in its answer
    identity      the parameters of `delete`, each taken from an item
    marked        where else an item carries the run's id, when its identity does not
    delete        the call that deletes it; without it, the kind is only there for `within`
    list_parameters, delete_parameters      constants for the two calls
    within        another kind; `list` is called once for each item of that kind
    details       a call for each item whose answer is added to the item
    present       a condition on an item; without it, every listed item exists
    contents      what to take out first. `items` are the parameters of its `delete`, to which those of
                  `parameters` are added, taken from the identity (default: the identity itself), as
                  those of `list_parameters` are for its `list` (default: the same)

Values are JMESPath expressions over what they are taken from. An operation may end in `*` for any
ending. `global = true` says that a service shows the same things in every Region.
"""

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jmespath

TABLES = Path(__file__).parent

# By the first word of an operation. Any other word may create something, so the tables have to know it.
READING = re.compile(
    "Get|List|Describe|Head|Query|Scan|Select|Search|Lookup|Test|Validate|Check|Preview|Simulate|Filter"
    "|Estimate|Detect|Discover|Decode|Download|Receive|Verify|Sign|Encrypt|Decrypt|ReEncrypt|Generate"
    "|BatchGet|TransactGet|View"
)
DELETING = re.compile(
    "Delete|Remove|Untag|Deregister|Disassociate|Detach|Stop|Cancel|Terminate|Disable|Revoke|Release|Purge"
    "|Unsubscribe|Abort|Reject|Decline|Leave|Deactivate|Disconnect|BatchDelete"
)
CHANGING = re.compile("Update|Modify|Set|Tag|Enable|Change|Reset")


@dataclass(frozen=True)
class Contents:
    """What has to be taken out of a resource before it can be deleted."""

    list: str
    items: str
    delete: str
    parameters: dict[str, str] | None = None
    list_parameters: dict[str, str] | None = None


@dataclass(frozen=True)
class Within:
    """The kind over whose items another kind is listed."""

    kind: str
    parameters: dict[str, str]


@dataclass(frozen=True)
class Details:
    """A call that says more about an item than its listing does."""

    call: str
    parameters: dict[str, str]


@dataclass(frozen=True)
class Kind:
    """Something that a service lists and deletes."""

    service: str
    name: str
    list: str
    items: str
    identity: dict[str, str] = field(default_factory=dict)
    delete: str | None = None
    list_parameters: dict[str, Any] = field(default_factory=dict)
    delete_parameters: dict[str, Any] = field(default_factory=dict)
    within: Within | None = None
    marked: str | None = None
    details: Details | None = None
    present: str | None = None
    contents: tuple[Contents, ...] = ()

    @property
    def key(self) -> str:
        """`service.kind`, as in the ledger and in `implies`."""
        return f"{self.service}.{self.name}"

    @property
    def title(self) -> str:
        """For people: `lambda function`."""
        return f"{self.service} {self.name.replace('_', ' ')}"


@dataclass(frozen=True)
class Call:
    """What is known of a call that creates or changes something."""

    service: str
    operation: str
    creates: str | None = None
    identity: dict[str, str] = field(default_factory=dict)
    marked: str | None = None
    part_of: str | None = None
    implies: tuple[str, ...] = ()
    leaves_nothing: str | None = None
    refused: str | None = None


@dataclass(frozen=True)
class ServiceTable:
    """The table of one service."""

    service: str
    is_global: bool
    kinds: dict[str, Kind]
    calls: dict[str, Call]

    def find(self, operation: str) -> Call | None:
        """The row of an operation: its own, else the longest one with a `*` that fits."""
        if operation in self.calls:
            return self.calls[operation]
        fitting = [name for name in self.calls if name.endswith("*") and operation.startswith(name[:-1])]
        return self.calls[max(fitting, key=len)] if fitting else None


def services() -> list[str]:
    """Every service that has a table."""
    return sorted(path.stem for path in TABLES.glob("*.toml"))


@functools.cache
def table(service: str) -> ServiceTable:
    """The table of a service; an empty one when there is no file for it."""
    path = TABLES / f"{service}.toml"
    rows = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return ServiceTable(
        service=service,
        is_global=rows.get("global", False),
        kinds={name: _kind(service, name, row) for name, row in rows.get("kinds", {}).items()},
        calls=_calls(service, rows),
    )


def kind(key: str) -> Kind:
    """The kind of a key such as `lambda.function`."""
    service, name = key.split(".")
    return table(service).kinds[name]


def changes(operation: str) -> bool:
    """Whether an operation, by its verb, only changes what exists."""
    return _begins_with(CHANGING, operation)


def needs_row(operation: str) -> bool:
    """Whether an operation, by its verb, may create something, so that a table has to know it."""
    return not any(_begins_with(verbs, operation) for verbs in (READING, DELETING, CHANGING))


def search(path: str, source: Mapping[str, Any]) -> Any:
    """The value at a JMESPath expression in `source`; None when nothing is there."""
    return jmespath.search(path, source)


def pick(paths: Mapping[str, str], source: Mapping[str, Any]) -> dict[str, Any] | None:
    """The value at each path in `source`, or None when one of them is not there."""
    values = {name: search(path, source) for name, path in paths.items()}
    return None if any(value in (None, [None]) for value in values.values()) else values


def _begins_with(verbs: re.Pattern[str], operation: str) -> bool:
    verb = verbs.match(operation)
    # `Set` is the verb of SetQueueAttributes, but not of SettleAccounts.
    return verb is not None and not operation[verb.end() : verb.end() + 1].islower()


def _calls(service: str, rows: dict[str, Any]) -> dict[str, Call]:
    calls = {
        operation: Call(service, operation, **(row | {"implies": tuple(row.get("implies", []))}))
        for operation, row in rows.get("calls", {}).items()
    }
    for path, operations in rows.get("part_of", {}).items():
        calls |= {operation: Call(service, operation, part_of=path) for operation in operations}
    for operation, reason in rows.get("leaves_nothing", {}).items():
        calls[operation] = Call(service, operation, leaves_nothing=reason)
    for operation, reason in rows.get("refused", {}).items():
        calls[operation] = Call(service, operation, refused=reason)
    return calls


def _kind(service: str, name: str, row: dict[str, Any]) -> Kind:
    row = dict(row)
    if "within" in row:
        row["within"] = Within(**row["within"])
    if "details" in row:
        row["details"] = Details(**row["details"])
    row["contents"] = tuple(Contents(**contents) for contents in row.get("contents", []))
    return Kind(service=service, name=name, **row)
