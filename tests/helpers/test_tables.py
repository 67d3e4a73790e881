"""A table is read whole, in plain Python values."""

from typing import Any

import pytest

from helpers.tables import items
from helpers.workshop import Workshop


@pytest.fixture
def table(workshop: Workshop) -> str:
    name = workshop.name("orders")
    workshop.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def put(workshop: Workshop, table: str, key: str, **attributes: Any) -> None:
    workshop.client("dynamodb").put_item(TableName=table, Item={"id": {"S": key}, **attributes})


def test_values_are_plain(workshop: Workshop, table: str) -> None:
    put(
        workshop,
        table,
        "o-1",
        quantity={"N": "3"},
        price={"N": "6.5"},
        tags={"SS": ["new"]},
        parts={"L": [{"M": {"n": {"N": "2"}}}]},
        picture={"B": b"png"},
        paid={"BOOL": True},
        note={"NULL": True},
    )
    (found,) = items(workshop.client("dynamodb"), table)
    assert found == {
        "id": "o-1",
        "quantity": 3,
        "price": 6.5,
        "tags": {"new"},
        "parts": [{"n": 2}],
        "picture": b"png",
        "paid": True,
        "note": None,
    }
    assert isinstance(found["quantity"], int) and isinstance(found["picture"], bytes)


def test_attributes_select_also_those_with_reserved_names(workshop: Workshop, table: str) -> None:
    """DynamoDB developer guide, "Reserved words in DynamoDB": status and data are among them."""
    put(workshop, table, "o-1", status={"S": "NEW"}, data={"N": "1"})
    put(workshop, table, "o-2", status={"S": "NEW"}, data={"N": "2"})
    put(workshop, table, "o-3", status={"S": "OLD"}, data={"N": "1"})
    dynamodb = workshop.client("dynamodb")
    assert {item["id"] for item in items(dynamodb, table, status="NEW")} == {"o-1", "o-2"}
    assert [item["id"] for item in items(dynamodb, table, status="NEW", data=2)] == ["o-2"]


def test_all_pages_are_read(workshop: Workshop, table: str) -> None:
    """DynamoDB developer guide, "Scanning tables": a page has 1 MB at most."""
    for number in range(4):
        put(workshop, table, f"o-{number}", text={"S": "x" * 390_000})
    assert len(items(workshop.client("dynamodb"), table)) == 4
