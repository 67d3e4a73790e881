"""Validators refuse a configuration before clients can get it.

AWS: AppConfig user guide, "Understanding validators"; API reference, "CreateConfigurationProfile",
"CreateHostedConfigurationVersion", "ValidateConfiguration", "StartDeployment" and
"InvalidConfigurationDetail".
"""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from appconfig_resources import Application, refusal
from botocore.exceptions import ClientError
from deployed import DeployedFunction

SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["limit"],
    "properties": {"limit": {"type": "integer", "minimum": 0, "exclusiveMinimum": True}},
}
REFUSING_ODD_LIMITS = """
import base64, json

def handler(event, context):
    print("EVENT " + json.dumps(event))
    limit = json.loads(base64.b64decode(event["content"]))["limit"]
    if limit % 2:
        raise ValueError(f"the limit {limit} is odd")
    return "even"
"""


def schema(document: Any = SCHEMA) -> dict[str, str]:
    return {"Type": "JSON_SCHEMA", "Content": json.dumps(document)}


def function(deployed: DeployedFunction) -> dict[str, str]:
    arn = deployed.client.get_function(FunctionName=deployed.name)["Configuration"]["FunctionArn"]
    return {"Type": "LAMBDA", "Content": arn}


def permit(deployed: DeployedFunction, **condition: str) -> None:
    deployed.client.add_permission(
        FunctionName=deployed.name,
        StatementId=f"validator-{len(condition)}",
        Action="lambda:InvokeFunction",
        Principal="appconfig.amazonaws.com",
        **condition,
    )


@pytest.fixture
def application(make_client: Callable[..., Any]) -> Iterator[Application]:
    made = Application(make_client("appconfig"), make_client("appconfigdata"))
    yield made
    made.delete()


def test_a_version_that_breaks_the_schema_is_not_made(application: Application) -> None:
    """API reference, "InvalidConfigurationDetail": an error when creating a hosted configuration version."""
    profile = application.profile("limits", schema())
    with pytest.raises(ClientError) as refused:
        application.version(profile, {"limit": "ten"})
    code, message = refusal(refused.value)
    assert code == "BadRequestException"
    assert "'ten' is not of type 'integer'" in message
    assert refused.value.response["Reason"] == "InvalidConfiguration"
    assert refused.value.response["Details"]["InvalidConfiguration"] == [
        {
            "Type": "JSON_SCHEMA",
            "Reason": "'ten' is not of type 'integer'",
            "Constraint": "type",
            "Location": "#/properties/limit/type",
        }
    ]
    assert application.version(profile, {"limit": 10}) == "1"


def test_the_schema_is_one_of_version_4(application: Application) -> None:
    """User guide, "Understanding validators": in version 4 exclusiveMinimum is a boolean."""
    profile = application.profile("limits", schema())
    with pytest.raises(ClientError, match="0 is less than or equal to the minimum of 0"):
        application.version(profile, {"limit": 0})
    newer = {**SCHEMA, "$schema": "http://json-schema.org/draft-07/schema#"}
    with pytest.raises(ClientError, match=r"supports JSON Schema version 4\.X"):
        application.profile("newer", schema(newer))
    with pytest.raises(ClientError, match="is not valid"):
        application.profile("wrong", schema({"type": "number of things"}))


def test_a_schema_that_came_later_refuses_the_deployment(application: Application) -> None:
    """API reference, "Validator": the deployment can only proceed when the configuration is valid."""
    profile = application.profile()
    version = application.version(profile, {"limit": "ten"})
    named = {"ApplicationId": application.id, "ConfigurationProfileId": profile}
    application.control.validate_configuration(**named, ConfigurationVersion=version)
    application.control.update_configuration_profile(**named, Validators=[schema()])
    with pytest.raises(ClientError, match="'ten' is not of type 'integer'"):
        application.control.validate_configuration(**named, ConfigurationVersion=version)
    with pytest.raises(ClientError, match="'ten' is not of type 'integer'") as refused:
        application.deploy(profile, version)
    assert refused.value.operation_name == "StartDeployment"
    deployments = application.control.list_deployments(
        ApplicationId=application.id, EnvironmentId=application.environment
    )
    assert deployments["Items"] == []


def test_a_function_refuses_by_an_error(
    application: Application, deploy: Callable[..., DeployedFunction]
) -> None:
    """User guide, "Understanding validators": the function's event, and its error refuses."""
    validator = deploy(REFUSING_ODD_LIMITS)
    permit(validator)
    profile = application.profile("limits", schema(), function(validator))
    odd, even = (application.version(profile, {"limit": limit}) for limit in (11, 12))
    with pytest.raises(ClientError) as refused:
        application.deploy(profile, odd)
    assert refusal(refused.value)[0] == "BadRequestException"
    [detail] = refused.value.response["Details"]["InvalidConfiguration"]
    assert (detail["Type"], detail["Reason"]) == ("LAMBDA", "the limit 11 is odd")
    assert json.loads(detail["Value"])["errorType"] == "ValueError"
    assert application.deploy(profile, even) == 1


def test_a_function_is_told_what_it_validates(
    application: Application, deploy: Callable[..., DeployedFunction]
) -> None:
    """User guide, "Understanding validators", the event schema. The function refuses with its event."""
    validator = deploy("def handler(event, context):\n    raise ValueError(__import__('json').dumps(event))")
    permit(validator)
    profile = application.profile("limits", function(validator))
    version = application.version(profile, {"limit": 1})
    named = {"ApplicationId": application.id, "ConfigurationProfileId": profile}
    with pytest.raises(ClientError) as refused:
        application.control.validate_configuration(**named, ConfigurationVersion=version)
    [detail] = refused.value.response["Details"]["InvalidConfiguration"]
    event = json.loads(detail["Reason"])
    assert json.loads(base64.b64decode(event.pop("content"))) == {"limit": 1}
    assert event == {
        "applicationId": application.id,
        "configurationProfileId": profile,
        "configurationVersion": "1",
        "uri": "hosted",
    }


def test_a_function_that_appconfig_may_not_invoke_validates_nothing(
    application: Application, deploy: Callable[..., DeployedFunction]
) -> None:
    """User guide, "Understanding validators": AppConfig needs permission to invoke the function."""
    validator = deploy(REFUSING_ODD_LIMITS)
    profile = application.profile("limits", function(validator))
    version = application.version(profile, {"limit": 12})
    permit(validator, SourceAccount="444455556666")
    with pytest.raises(ClientError, match="is not authorized to perform lambda:InvokeFunction"):
        application.deploy(profile, version)
    permit(validator)
    assert application.deploy(profile, version) == 1


def test_a_profile_names_functions_that_exist_and_two_validators_at_most(application: Application) -> None:
    """API reference, "CreateConfigurationProfile": up to 2 validators; user guide: make functions first."""
    arn = "arn:aws:lambda:us-east-1:111122223333:function:no-such-function"
    with pytest.raises(ClientError, match="does not exist"):
        application.profile("limits", {"Type": "LAMBDA", "Content": arn})
    with pytest.raises(ClientError, match="up to 2 validators"):
        application.profile("limits", schema(), schema(), schema())
    with pytest.raises(ClientError, match="JSON_SCHEMA or LAMBDA"):
        application.profile("limits", {"Type": "XML_SCHEMA", "Content": "<schema/>"})
