"""Event source mappings of CloudFormation stacks."""

import json
import secrets
from collections.abc import Callable
from typing import Any

from mapped_functions import MappedFunction, Queue

from helpers.waiting import wait_until

Mapped = Callable[..., MappedFunction]


def test_a_stack_creates_changes_and_deletes_a_mapping(
    mapped: Mapped, queue: Queue, make_client: Callable[..., Any]
) -> None:
    """CloudFormation user guide, AWS::Lambda::EventSourceMapping."""
    function = mapped()
    stacks = make_client("cloudformation")
    name = f"stack-{secrets.token_hex(4)}"

    def template(**properties: Any) -> str:
        ends = {"FunctionName": function.function.name, "EventSourceArn": queue.arn}
        mapping = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": ends | properties}
        return json.dumps({"Resources": {"Mapping": mapping}})

    def run(call: Callable[..., Any], end: str, **parameters: Any) -> dict[str, Any]:
        call(StackName=name, **parameters)
        found = wait_until(
            lambda: stacks.describe_stacks(StackName=name)["Stacks"][0],
            end,
            lambda seen: not seen["StackStatus"].endswith("IN_PROGRESS"),
        )
        assert found["StackStatus"] == end, stacks.describe_stack_events(StackName=name)["StackEvents"]
        return dict(found)

    def mappings() -> list[dict[str, Any]]:
        found = function.client.list_event_source_mappings(EventSourceArn=queue.arn)
        return list(found["EventSourceMappings"])

    only_in = {"Filters": [{"Pattern": '{"body": ["in"]}'}]}
    created_from = template(BatchSize="5", FilterCriteria=only_in)
    run(stacks.create_stack, "CREATE_COMPLETE", TemplateBody=created_from)
    (created,) = mappings()
    assert (created["State"], created["BatchSize"]) == ("Enabled", 5)
    queue.send("out", "in")
    assert function.wait_for_contents(["in"]) == ["in"]
    run(stacks.update_stack, "UPDATE_COMPLETE", TemplateBody=template(BatchSize=6))
    (updated,) = mappings()
    assert (updated["UUID"], updated["BatchSize"]) == (created["UUID"], 6)
    assert "FilterCriteria" not in updated
    stacks.delete_stack(StackName=name)
    wait_until(lambda: not mappings(), "the mapping to be deleted")


def test_a_stack_fails_with_the_message_of_lambda(
    mapped_once: MappedFunction, queue: Queue, make_client: Callable[..., Any]
) -> None:
    stacks = make_client("cloudformation")
    name = f"stack-{secrets.token_hex(4)}"
    properties = {
        "FunctionName": mapped_once.function.name,
        "EventSourceArn": queue.arn,
        "FilterCriteria": {"Filters": [{"Pattern": "{not json"}]},
    }
    mapping = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": properties}
    stacks.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": {"Mapping": mapping}}))
    wait_until(
        lambda: stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"],
        "the end",
        lambda seen: not seen.endswith("IN_PROGRESS"),
    )
    reasons = [
        event.get("ResourceStatusReason", "")
        for event in stacks.describe_stack_events(StackName=name)["StackEvents"]
    ]
    assert any("Invalid filter pattern definition." in reason for reason in reasons)
