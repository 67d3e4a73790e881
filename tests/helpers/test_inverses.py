"""The table of creating calls: it fits the service models, and it finds on a running AWS what it should."""

import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from helpers import inverses
from helpers.inverses import Call, Kind

BOTOCORE = botocore.session.Session()
KINDS = [kind for service in inverses.services() for kind in inverses.table(service).kinds.values()]
CALLS = [call for service in inverses.services() for call in inverses.table(service).calls.values()]


def model(service: str) -> ServiceModel:
    return BOTOCORE.get_service_model(service)


def sample(shape: Shape | None, depth: int = 0) -> Any:
    """A value with every member of a shape filled in: what a complete answer looks like."""
    if isinstance(shape, StructureShape):
        if depth > 6:
            return {}
        return {name: sample(member, depth + 1) for name, member in shape.members.items()}
    if isinstance(shape, ListShape):
        return [sample(shape.member, depth + 1)]
    if isinstance(shape, MapShape):
        return {"key": sample(shape.value, depth + 1)}
    kind = shape.type_name if shape is not None else ""
    return {"integer": 1, "long": 1, "boolean": False, "blob": b"blob"}.get(kind, "text")


def answer(operation: OperationModel) -> Any:
    return sample(operation.output_shape)


def request(operation: OperationModel) -> Any:
    return sample(operation.input_shape)


def unfiltered(path: str) -> str:
    """A path without conditions on values, which a sample cannot meet."""
    return re.sub(r"\[\?[^\]]*\]", "[]", path)


def covered(operation: OperationModel, given: set[str]) -> bool:
    """Whether `given` holds every required parameter of an operation, and only parameters it has."""
    shape = operation.input_shape
    return set(shape.required_members) <= given <= set(shape.members)


def operations(call: Call) -> Iterator[OperationModel]:
    service = model(call.service)
    names = [call.operation]
    if call.operation.endswith("*"):
        table = inverses.table(call.service)
        names = [name for name in service.operation_names if table.find(name) is call]
    for name in names:
        yield service.operation_model(name)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_a_kind_can_be_listed_and_deleted_as_the_service_model_says(kind: Kind) -> None:
    service = model(kind.service)
    whole = kind.within.parameters if kind.within else {}
    assert covered(service.operation_model(kind.list), set(whole) | set(kind.list_parameters))
    items = inverses.search(unfiltered(kind.items), answer(service.operation_model(kind.list)))
    assert items, f"{kind.list} has nothing at {kind.items}"
    if kind.delete is None:
        return
    item = dict.fromkeys(whole, "text") | items[0]
    if kind.details is not None:
        assert covered(service.operation_model(kind.details.call), set(kind.details.parameters))
        assert inverses.pick(kind.details.parameters, item)
        item |= answer(service.operation_model(kind.details.call))
    identity = inverses.pick(kind.identity, item)
    assert identity is not None, f"an item of {kind.list} lacks a part of {kind.identity}"
    assert covered(service.operation_model(kind.delete), set(identity) | set(kind.delete_parameters))
    assert kind.marked is None or inverses.search(kind.marked, item)
    assert kind.present is None or inverses.search(kind.present, item) is not None
    for contents in kind.contents:
        parent = identity if contents.parameters is None else inverses.pick(contents.parameters, identity)
        assert parent is not None
        listed_by = parent
        if contents.list_parameters is not None:
            listed_by = inverses.pick(contents.list_parameters, identity) or {}
        assert covered(service.operation_model(contents.list), set(listed_by))
        inner = inverses.search(unfiltered(contents.items), answer(service.operation_model(contents.list)))
        assert inner, f"{contents.list} has nothing at {contents.items}"
        assert covered(service.operation_model(contents.delete), set(parent) | set(inner[0]))


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.service}.{call.operation}")
def test_a_row_says_what_becomes_of_the_call_and_its_paths_exist(call: Call) -> None:
    outcomes = [call.creates, call.part_of, call.leaves_nothing, call.refused]
    assert sum(outcome is not None for outcome in outcomes) == 1
    matched = list(operations(call))
    assert matched, "the row fits no operation"
    for operation in matched:
        source = {"request": request(operation), "response": answer(operation)}
        if call.part_of is not None:
            assert inverses.search(call.part_of, source), f"{operation.name} has nothing at {call.part_of}"
        if call.creates is not None:
            kind = inverses.table(call.service).kinds[call.creates]
            assert set(call.identity) == set(kind.identity)
            assert inverses.pick(call.identity, source) is not None
            # An answer may name something that was there before. Only the request shows whose it is.
            assert call.marked is not None or not any("response" in path for path in call.identity.values())
            assert call.marked is None or inverses.search(call.marked, source) is not None
    for key in call.implies:
        assert inverses.kind(key).delete is not None


@pytest.mark.parametrize("call", [call for call in CALLS if call.creates], ids=lambda call: call.operation)
def test_no_secret_is_part_of_an_identity(call: Call) -> None:
    """The service models mark secrets as sensitive; what identifies a resource must not be one."""
    sensitive = set()
    for operation in operations(call):
        for root, shape in (("request", operation.input_shape), ("response", operation.output_shape)):
            members = shape.members if shape is not None else {}
            sensitive |= {f"{root}.{name}" for name, member in members.items() if is_sensitive(member)}
    for path in call.identity.values():
        assert not any(re.search(rf"{re.escape(secret)}\b", path) for secret in sensitive)


def is_sensitive(shape: Shape) -> bool:
    return bool(shape.metadata.get("sensitive"))
