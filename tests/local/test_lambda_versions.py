"""Versions, aliases with weights, and the states between them."""

import io
import json
import secrets
import zipfile
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def package(answer: str) -> bytes:
    source = (
        "def handler(event, context):\n"
        f"    return [{answer!r}, context.function_version, context.invoked_function_arn]\n"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", source)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def functions(make_client: Callable[..., Any]) -> Any:
    return make_client("lambda", parameter_validation=False)


@pytest.fixture
def create(functions: Any, lambda_role: str) -> Callable[..., str]:
    """Create a function, wait until it is Active and return its name."""

    def call(**changes: Any) -> str:
        name = f"versioned-{secrets.token_hex(4)}"
        request = {
            "FunctionName": name,
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Role": lambda_role,
            "Code": {"ZipFile": package("one")},
        }
        functions.create_function(**{**request, **changes})
        wait(functions, "active", name)
        return name

    return call


@pytest.fixture
def function(create: Callable[..., str]) -> str:
    return create()


def wait(functions: Any, state: str, name: str) -> None:
    functions.get_waiter(f"function_{state}_v2").wait(
        FunctionName=name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
    )


def publish_changed(functions: Any, name: str, answer: str) -> str:
    functions.update_function_code(FunctionName=name, ZipFile=package(answer))
    wait(functions, "updated", name)
    return str(functions.publish_version(FunctionName=name)["Version"])


def invoke(functions: Any, name: str, qualifier: str) -> list[str]:
    answer = functions.invoke(FunctionName=name, Qualifier=qualifier)
    result: list[str] = json.loads(answer["Payload"].read())
    assert answer["ExecutedVersion"] == result[1]
    return result


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_version_is_published_only_when_something_has_changed(functions: Any, function: str) -> None:
    """API reference, "PublishVersion": no version if nothing has changed since the last version."""
    first = functions.publish_version(FunctionName=function, Description="first")
    again = functions.publish_version(FunctionName=function, Description="second")
    assert (first["Version"], again["Version"]) == ("1", "1")
    assert (first["Description"], again["Description"]) == ("first", "first")
    assert first["FunctionArn"].endswith(f":function:{function}:1")
    functions.update_function_configuration(FunctionName=function, Description="changed")
    wait(functions, "updated", function)
    assert functions.publish_version(FunctionName=function)["Version"] == "2"
    assert publish_changed(functions, function, "two") == "3"


def test_a_version_published_with_the_function_is_the_first_one(
    functions: Any, create: Callable[..., str]
) -> None:
    """API reference, "CreateFunction": Publish, "publish the first version"."""
    name = create(Publish=True)
    assert functions.publish_version(FunctionName=name)["Version"] == "1"
    shown = functions.get_function_configuration(FunctionName=name, Qualifier="1")
    assert shown["FunctionArn"].endswith(":1")
    assert (shown["State"], shown["LastUpdateStatus"]) == ("Active", "Successful")
    updated = functions.update_function_code(FunctionName=name, ZipFile=package("two"), Publish=True)
    assert updated["Version"] == "2"
    wait(functions, "updated", name)
    assert invoke(functions, name, "1")[0] == "one"
    assert invoke(functions, name, "2")[0] == "two"


def test_publishing_on_conditions(functions: Any, function: str) -> None:
    """API reference, "PublishVersion": CodeSha256 and RevisionId."""
    code, message = refusal(functions.publish_version, FunctionName=function, CodeSha256="c29tZXRoaW5n")
    assert code == "InvalidParameterValueException"
    assert "is different from current CodeSHA256 in $LATEST" in message
    stale = "00000000-0000-0000-0000-000000000000"
    assert refusal(functions.publish_version, FunctionName=function, RevisionId=stale)[0] == (
        "PreconditionFailedException"
    )
    latest = functions.get_function_configuration(FunctionName=function)
    published = functions.publish_version(
        FunctionName=function, CodeSha256=latest["CodeSha256"], RevisionId=latest["RevisionId"]
    )
    assert published["CodeSha256"] == latest["CodeSha256"]


def test_a_version_keeps_its_code_and_its_name(functions: Any, function: str) -> None:
    """Developer guide, "Manage Lambda function versions": a version is a snapshot."""
    functions.publish_version(FunctionName=function)
    publish_changed(functions, function, "two")
    assert invoke(functions, function, "1")[:2] == ["one", "1"]
    assert invoke(functions, function, "2")[:2] == ["two", "2"]
    assert invoke(functions, function, "$LATEST")[:2] == ["two", "$LATEST"]


def test_a_weighted_alias_splits_the_invocations(functions: Any, function: str) -> None:
    """Developer guide, "Implement Lambda canary deployments using a weighted alias"."""
    functions.publish_version(FunctionName=function)
    publish_changed(functions, function, "two")
    functions.create_alias(
        FunctionName=function,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.4}},
    )
    answers = [invoke(functions, function, "live") for _ in range(60)]
    assert {answer[2].rpartition(":")[2] for answer in answers} == {"live"}
    executed = Counter(answer[1] for answer in answers)
    assert set(executed) == {"1", "2"}
    # 24 expected; fewer than 6 or more than 42 has a chance below one in a million.
    assert 6 <= executed["2"] <= 42
    # Reading shows the version that the alias points to.
    shown = functions.get_function(FunctionName=function, Qualifier="live")["Configuration"]
    assert (shown["Version"], shown["FunctionArn"].rpartition(":")[2]) == ("1", "live")
    for weight, version in ((1.0, "2"), (0.0, "1")):
        functions.update_alias(
            FunctionName=function,
            Name="live",
            RoutingConfig={"AdditionalVersionWeights": {"2": weight}},
        )
        assert {invoke(functions, function, "live")[1] for _ in range(8)} == {version}


def test_an_alias_points_to_versions_that_exist(functions: Any, function: str) -> None:
    """API reference, "CreateAlias"; the messages are those that AWS returns."""
    functions.publish_version(FunctionName=function)
    publish_changed(functions, function, "two")
    for version, weights, expected in (
        ("10", {}, ("ResourceNotFoundException", f"function:{function}:10")),
        ("1", {"10": 0.1}, ("ResourceNotFoundException", f"function:{function}:10")),
        ("1", {"1": 0.1}, ("InvalidParameterValueException", "is already included in routing")),
        ("1", {"2": 1.1}, ("ValidationException", "less than or equal to 1.0")),
        ("1", {"2": -0.1}, ("ValidationException", "greater than or equal to 0.0")),
        ("1", {"$LATEST": 0.1}, ("ValidationException", "Map keys must satisfy constraint")),
        ("$LATEST", {"1": 0.1}, ("InvalidParameterValueException", "$LATEST is not supported")),
        ("1", {"2": 0.1, "3": 0.1}, ("InvalidParameterValueException", "cannot be greater than 1")),
    ):
        code, message = refusal(
            functions.create_alias,
            FunctionName=function,
            Name="live",
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": weights},
        )
        assert code == expected[0]
        assert expected[1] in message
    alias = functions.create_alias(FunctionName=function, Name="live", FunctionVersion="1")
    assert "RoutingConfig" not in alias
    request = {"FunctionName": function, "Name": "live", "FunctionVersion": "2"}
    assert refusal(functions.create_alias, **request)[0] == "ResourceConflictException"
    assert functions.update_alias(**request)["FunctionVersion"] == "2"
    assert refusal(functions.update_alias, **{**request, "FunctionVersion": "7"})[0] == (
        "ResourceNotFoundException"
    )


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [("invoke", {}), ("publish_version", {}), ("update_function_configuration", {"Timeout": 5})],
)
def test_a_new_function_is_pending_first(
    functions: Any, lambda_role: str, operation: str, arguments: dict[str, Any]
) -> None:
    """Developer guide, "Lambda function states": neither invoked nor changed while Pending."""
    name = f"pending-{secrets.token_hex(4)}"
    created = functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="index.handler",
        Role=lambda_role,
        Code={"ZipFile": package("one")},
    )
    code, message = refusal(getattr(functions, operation), FunctionName=name, **arguments)
    assert (created["State"], created["StateReasonCode"]) == ("Pending", "Creating")
    assert "LastUpdateStatus" not in created
    assert code == "ResourceConflictException"
    assert message.endswith("in the following state: Pending")
    wait(functions, "active", name)
    active = functions.get_function_configuration(FunctionName=name)
    assert (active["State"], active["LastUpdateStatus"]) == ("Active", "Successful")
    assert active["RevisionId"] != created["RevisionId"]


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("update_function_configuration", {"Timeout": 6}),
        ("update_function_code", {"ZipFile": package("two")}),
        ("publish_version", {}),
    ],
)
def test_an_update_leaves_the_function_active_and_refuses_the_next(
    functions: Any, function: str, operation: str, arguments: dict[str, Any]
) -> None:
    """Developer guide, "Lambda function states", function states while updating."""
    updated = functions.update_function_configuration(FunctionName=function, Timeout=5)
    code, message = refusal(getattr(functions, operation), FunctionName=function, **arguments)
    assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
    assert code == "ResourceConflictException"
    assert "An update is in progress for resource: arn:aws:lambda:" in message
    assert invoke(functions, function, "$LATEST")[0] == "one"
    wait(functions, "updated", function)
    assert functions.update_function_configuration(FunctionName=function, Timeout=6)["Timeout"] == 6


def test_a_dry_run_changes_nothing(functions: Any, function: str) -> None:
    """API reference, "UpdateFunctionCode": DryRun."""
    before = functions.get_function_configuration(FunctionName=function)
    functions.update_function_code(FunctionName=function, ZipFile=package("two"), DryRun=True, Publish=True)
    after = functions.get_function_configuration(FunctionName=function)
    assert before == {**after, "ResponseMetadata": before["ResponseMetadata"]}
    assert len(functions.list_versions_by_function(FunctionName=function)["Versions"]) == 1
