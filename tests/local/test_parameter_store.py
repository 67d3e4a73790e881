"""Parameter Store: sizes, tiers, names, versions, labels, paths and events."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from helpers.refusals import refusal
from helpers.waiting import wait_for_message


@pytest.fixture
def ssm(make_client: Callable[..., Any]) -> Any:
    return make_client("ssm")


@pytest.fixture
def path(ssm: Any) -> Iterator[str]:
    """A path of the test's own, whose parameters are deleted after it."""
    own = f"/test-{uuid.uuid4().hex[:8]}"
    yield own
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=own, Recursive=True)
    for page in pages:
        for parameter in page["Parameters"]:
            ssm.delete_parameter(Name=parameter["Name"])


def put(ssm: Any, name: str, value: str = "value", **parameters: Any) -> Any:
    return ssm.put_parameter(**{"Name": name, "Value": value, "Type": "String", **parameters})


def test_a_standard_parameter_has_4_kb(ssm: Any, path: str) -> None:
    """User guide, "Managing parameter tiers": 4 KB, and 8 KB for an advanced parameter."""
    assert put(ssm, f"{path}/a", "x" * 4096)["Tier"] == "Standard"
    message = refusal(put, ssm, f"{path}/b", "x" * 4097)
    assert message.startswith(
        "ValidationException: Standard tier parameters support a maximum parameter value of 4096 characters. "
        "To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier."
    )
    assert put(ssm, f"{path}/b", "x" * 8192, Tier="Advanced")["Tier"] == "Advanced"
    message = refusal(put, ssm, f"{path}/c", "x" * 8193, Tier="Intelligent-Tiering")
    assert "Advanced tier parameters support a maximum parameter value of 8192 characters." in message


def test_intelligent_tiering_chooses_the_tier_and_advanced_is_for_good(ssm: Any, path: str) -> None:
    """User guide, "Managing parameter tiers": there is no way back from an advanced parameter."""
    name = f"{path}/a"
    assert put(ssm, name, "x", Tier="Intelligent-Tiering")["Tier"] == "Standard"
    answer = put(ssm, name, "x" * 4097, Tier="Intelligent-Tiering", Overwrite=True)
    assert answer == {"Version": 2, "Tier": "Advanced", "ResponseMetadata": answer["ResponseMetadata"]}
    assert put(ssm, name, "x", Tier="Intelligent-Tiering", Overwrite=True)["Tier"] == "Advanced"
    assert put(ssm, name, "x", Overwrite=True)["Tier"] == "Advanced"
    message = refusal(put, ssm, name, "x", Tier="Standard", Overwrite=True)
    assert message.startswith(
        "ValidationException: This parameter uses the advanced-parameter tier. You can't"
    )
    assert ssm.get_parameter(Name=name)["Parameter"]["Version"] == 4


def test_parameter_policies_are_refused(ssm: Any, path: str) -> None:
    """User guide, "Assigning parameter policies": for advanced parameters only; none expires here."""
    policy = json.dumps(
        [{"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": "2030-01-01T00:00:00Z"}}]
    )
    standard = refusal(put, ssm, f"{path}/a", Policies=policy, Tier="Standard")
    advanced = refusal(put, ssm, f"{path}/a", Policies=policy, Tier="Advanced")
    assert standard.startswith("InvalidPolicyAttributeException")
    assert advanced.startswith("NotImplementedException: The local AWS cannot do this")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("no/leading/slash", "ValidationException"),
        ("/a b", "ValidationException"),
        ("/a//b", "ValidationException"),
        ("ssm-parameter", "ValidationException"),
        ("aws-parameter", "ValidationException"),
        ("/aws/parameter", "AccessDeniedException"),
        ("/a" * 16, "HierarchyLevelLimitExceededException"),
        ("/" + "a" * 1000, "ValidationException"),
    ],
)
def test_names_that_aws_does_not_allow_are_refused(ssm: Any, name: str, code: str) -> None:
    """User guide, "Requirements and constraints for parameter names"."""
    assert refusal(put, ssm, name).startswith(f"{code}: ")


def test_a_name_with_a_slash_begins_with_one(ssm: Any) -> None:
    """User guide, "Working with parameter hierarchies": fully qualified names, in requests to read, too."""
    assert refusal(put, ssm, "a/b") == ("ValidationException: Parameter name must be a fully qualified name.")
    for call in (lambda: ssm.get_parameter(Name="a/b"), lambda: ssm.get_parameters(Names=["/a", "a/b"])):
        assert refusal(call).startswith("ValidationException: Parameter name: can't be prefixed with")


@pytest.mark.parametrize(
    ("parameters", "start"),
    [
        ({"Value": ""}, "ValidationException: 1 validation error detected: Value at 'value'"),
        ({"Type": "Number"}, "ValidationException: 1 validation error detected: Value 'Number' at 'type'"),
        ({"Tier": "Best"}, "ValidationException: 1 validation error detected: Value 'Best' at 'tier'"),
        ({"DataType": "JSON"}, "ValidationException: The following data type is not supported: JSON"),
        ({"DataType": "aws:ec2:image"}, "NotImplementedException: "),
        ({"KeyId": "alias/aws/ssm"}, "ValidationException: KeyId is required for SecureString"),
        (
            {"AllowedPattern": r"^\d+$"},
            r"ParameterPatternMismatchException: Parameter value, cannot be validated against "
            r"allowedPattern: ^\d+$",
        ),
        ({"AllowedPattern": "("}, "InvalidAllowedPatternException: "),
    ],
)
def test_values_that_aws_does_not_allow_are_refused(
    ssm: Any, path: str, parameters: dict[str, str], start: str
) -> None:
    """API reference, "PutParameter"."""
    assert refusal(put, ssm, f"{path}/a", **{"value": "word", **_as_arguments(parameters)}).startswith(start)
    assert refusal(ssm.get_parameter, Name=f"{path}/a").startswith("ParameterNotFound")


def _as_arguments(parameters: dict[str, str]) -> dict[str, str]:
    return {("value" if name == "Value" else name): value for name, value in parameters.items()}


def test_the_type_of_a_parameter_stays(ssm: Any, path: str) -> None:
    """API reference, "PutParameter": HierarchyTypeMismatchException; Type is not required in an update."""
    put(ssm, f"{path}/a")
    assert refusal(put, ssm, f"{path}/a").startswith("ParameterAlreadyExists")
    message = refusal(put, ssm, f"{path}/a", Type="SecureString", Overwrite=True)
    assert message.startswith("HierarchyTypeMismatchException")
    ssm.put_parameter(Name=f"{path}/a", Value="other", Overwrite=True)
    assert ssm.get_parameter(Name=f"{path}/a")["Parameter"]["Type"] == "String"


def test_a_hundred_versions_are_kept_unless_the_oldest_has_a_label(ssm: Any, path: str) -> None:
    """User guide, "Working with parameter versions"; API reference, "PutParameter"."""
    name = f"{path}/a"
    for number in range(101):
        put(ssm, name, str(number), Overwrite=True)
    history = ssm.get_paginator("get_parameter_history").paginate(Name=name)
    versions = [version for page in history for version in page["Parameters"]]
    assert [version["Version"] for version in versions] == list(range(2, 102))
    assert refusal(ssm.get_parameter, Name=f"{name}:1").startswith("ParameterVersionNotFound")
    ssm.label_parameter_version(Name=name, ParameterVersion=2, Labels=["keep"])
    assert refusal(put, ssm, name, Overwrite=True) == (
        f"ParameterMaxVersionLimitExceeded: You attempted to create a new version of {name} by calling the "
        "PutParameter API with the overwrite flag. Version 2, the oldest version, can't be deleted because "
        "it has a label associated with it. Move the label to another version of the parameter, and try "
        "again."
    )


def test_selectors_name_a_version_or_a_label(ssm: Any, path: str) -> None:
    """API reference, "GetParameter", Name; user guide, "Working with parameter labels"."""
    name = f"{path}/a"
    put(ssm, name, "first")
    put(ssm, name, "second", Overwrite=True)
    answer = ssm.label_parameter_version(
        Name=name, ParameterVersion=1, Labels=["stable", "1st", "aws-x", "SSM", "a b"]
    )
    assert answer["InvalidLabels"] == ["1st", "aws-x", "SSM", "a b"]
    values = {
        selector: ssm.get_parameter(Name=f"{name}{selector}")["Parameter"]["Value"]
        for selector in ("", ":1", ":2", ":stable")
    }
    assert values == {"": "second", ":1": "first", ":2": "second", ":stable": "first"}
    ssm.label_parameter_version(Name=name, Labels=["stable"])
    assert ssm.get_parameter(Name=f"{name}:stable")["Parameter"]["Value"] == "second"
    message = refusal(ssm.label_parameter_version, Name=name, Labels=[f"label-{n}" for n in range(10)])
    assert message.startswith("ParameterVersionLabelLimitExceeded")
    found = ssm.get_parameters(Names=[f"{name}:1", f"{name}:3", f"{path}/none"])
    assert [parameter["Value"] for parameter in found["Parameters"]] == ["first"]
    assert found["InvalidParameters"] == [f"{name}:3", f"{path}/none"]
    assert "less than or equal to 10" in refusal(ssm.get_parameters, Names=[f"/n{n}" for n in range(11)])


def test_a_path_has_levels_pages_and_filters(ssm: Any, path: str) -> None:
    """API reference, "GetParametersByPath": ten at most in a page; filters by Type, KeyId and Label."""
    names = [f"{path}/{number:02}" for number in range(11)]
    for name in names:
        put(ssm, name)
    put(ssm, f"{path}/sub/list", "a,b", Type="StringList")

    def found(**parameters: Any) -> list[str]:
        pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=path, **parameters)
        return [parameter["Name"] for page in pages for parameter in page["Parameters"]]

    first = ssm.get_parameters_by_path(Path=path)
    assert len(first["Parameters"]) == 10
    assert "NextToken" in first
    assert found() == names
    assert found(Recursive=True) == [*names, f"{path}/sub/list"]
    only_lists = {"Key": "Type", "Values": ["StringList"]}
    assert found(Recursive=True, ParameterFilters=[only_lists]) == [f"{path}/sub/list"]
    ssm.label_parameter_version(Name=names[0], Labels=["live"])
    put(ssm, names[0], "newer", Overwrite=True)
    labelled = ssm.get_parameters_by_path(Path=path, ParameterFilters=[{"Key": "Label", "Values": ["live"]}])
    assert [each["Value"] for each in labelled["Parameters"]] == ["value"]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"Path": "no-slash"}, "ValidationException"),
        ({"MaxResults": 11}, "ValidationException"),
        ({"NextToken": "?"}, "InvalidNextToken"),
        ({"ParameterFilters": [{"Key": "Name", "Values": ["a"]}]}, "InvalidFilterKey"),
        (
            {"ParameterFilters": [{"Key": "Type", "Option": "Contains", "Values": ["a"]}]},
            "InvalidFilterOption",
        ),
    ],
)
def test_requests_by_path_that_aws_does_not_know_are_refused(
    ssm: Any, parameters: dict[str, Any], code: str
) -> None:
    """API reference, "GetParametersByPath" and "ParameterStringFilter"."""
    assert refusal(ssm.get_parameters_by_path, **{"Path": "/", **parameters}).startswith(f"{code}: ")


def test_descriptions_are_filtered(ssm: Any, path: str) -> None:
    """API reference, "DescribeParameters" and "ParameterStringFilter": Path takes OneLevel and Recursive."""
    put(ssm, f"{path}/a", Tags=[{"Key": "stage", "Value": "test"}])
    put(ssm, f"{path}/sub/b", Tier="Advanced")

    def found(*given: dict[str, Any]) -> list[str]:
        own = {"Key": "Name", "Option": "BeginsWith", "Values": [path]}
        answer = ssm.describe_parameters(ParameterFilters=[own, *given])
        return [parameter["Name"].removeprefix(path) for parameter in answer["Parameters"]]

    assert found() == ["/a", "/sub/b"]
    assert found({"Key": "Path", "Values": [path]}) == ["/a"]
    assert found({"Key": "Path", "Option": "Recursive", "Values": [path]}) == ["/a", "/sub/b"]
    assert found({"Key": "Tier", "Values": ["Advanced"]}) == ["/sub/b"]
    assert found({"Key": "tag:stage", "Values": ["test"]}) == ["/a"]
    assert found({"Key": "tag:stage", "Values": ["other"]}) == []
    assert refusal(found, {"Key": "Owner", "Values": ["x"]}).startswith("InvalidFilterKey")
    unknown_option = {"Key": "Path", "Option": "BeginsWith", "Values": [path]}
    assert refusal(found, unknown_option).startswith("InvalidFilterOption")


def test_changes_are_events(make_client: Callable[..., Any], ssm: Any, path: str) -> None:
    """User guide, "Monitoring or triggering actions based on Parameter Store events"."""
    events, sqs = make_client("events"), make_client("sqs")
    name = path.strip("/")
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": policy})
    pattern = {
        "source": ["aws.ssm"],
        "detail-type": ["Parameter Store Change"],
        "detail": {"name": [f"{path}/a"]},
    }
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": queue_arn}])
    put(ssm, f"{path}/a")
    created = wait_for_message(sqs, queue_url)
    put(ssm, f"{path}/a", "other", Overwrite=True)
    updated = wait_for_message(sqs, queue_url)
    ssm.delete_parameter(Name=f"{path}/a")
    deleted = wait_for_message(sqs, queue_url)
    operations = [event["detail"]["operation"] for event in (created, updated, deleted)]
    assert operations == ["Create", "Update", "Delete"]
    assert created["detail"] == {"operation": "Create", "name": f"{path}/a", "type": "String"}
    assert created["resources"][0].endswith(f":parameter{path}/a")
    events.remove_targets(Rule=name, Ids=["queue"])
    events.delete_rule(Name=name)
    sqs.delete_queue(QueueUrl=queue_url)
