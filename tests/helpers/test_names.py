"""Names carry the run's id, within what services allow, and tell a run's resources from all others."""

import pytest

from helpers.names import Marks, new_run_id, resource_name

RUN = "w01-3f9a2c"


def test_a_run_id_holds_the_notebook_and_differs_every_time() -> None:
    ids = {new_run_id("01") for _ in range(100)}
    assert len(ids) > 95 and all(run_id.startswith("w01-") for run_id in ids)


@pytest.mark.parametrize("notebook", ["", "01_lambda", "NINE", "123456789"])
def test_other_notebooks_are_refused(notebook: str) -> None:
    with pytest.raises(ValueError, match="expected its number"):
        new_run_id(notebook)


def test_names() -> None:
    assert resource_name(RUN, "orders") == "w01-3f9a2c-orders"
    assert resource_name(RUN, "orders", separator="_") == "w01_3f9a2c_orders"
    assert resource_name(RUN, "orders", separator="") == "w013f9a2corders"


def test_long_names_are_cut_and_stay_different() -> None:
    labels = [f"a-very-long-label-for-a-load-balancer-{number}" for number in range(20)]
    names = {resource_name(RUN, label, max_length=32) for label in labels}
    assert len(names) == 20 and all(len(name) <= 32 for name in names)
    assert all(name.startswith(RUN) for name in names)
    assert resource_name(RUN, "x" * 21, max_length=32) == f"{RUN}-{'x' * 21}"


def test_a_limit_that_leaves_no_room_says_how_much_is_needed() -> None:
    with pytest.raises(ValueError, match="at least 17 is needed"):
        resource_name(RUN, "orders", max_length=12)
    assert len(resource_name(RUN, "orders-of-today", max_length=17)) == 17


@pytest.mark.parametrize(
    "value",
    [
        "arn:aws:sqs:us-east-1:111122223333:w01-3f9a2c-orders",
        {"Tags": [{"Key": "workshop-run", "Value": RUN}]},
        ["other", {"Database": "w01_3f9a2c_shop"}],
        b'{"title": "w01-3f9a2c-api"}',
        "arn:aws:ec2:us-east-1:111122223333:subnet/subnet-0a1b2c3d",
        "Z0123456789",
        "abc123",
    ],
)
def test_what_belongs_to_a_run(value: object) -> None:
    marks = Marks(RUN)
    marks.learn(
        {"SubnetId": "subnet-0a1b2c3d", "Id": "/hostedzone/Z0123456789", "Plan": "abc123", "Version": 1}
    )
    assert marks.carried_by(value)


@pytest.mark.parametrize(
    "value", ["orders", "w01-3f9a2d-orders", "3f9a2c", "xabc123x", 1, None, {}, {RUN: "a key"}, "hostedzone"]
)
def test_what_does_not(value: object) -> None:
    marks = Marks(RUN)
    marks.learn({"Plan": "abc123", "Id": "/hostedzone/Z0123456789", "Version": 1})
    assert not marks.carried_by(value)
