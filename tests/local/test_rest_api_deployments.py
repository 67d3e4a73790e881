"""A stage serves its deployment, not what the API has become since.

API Gateway developer guide, "Deploy REST APIs in API Gateway", "Updates to REST APIs that require
redeployment"; API reference, "CreateDeployment", "CreateStage", "UpdateStage", "DeleteDeployment",
"GetExport".
"""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from rest_apis import STAGE, Answer, RestApi, call

from helpers.local_aws import LocalAws

OK = '{"statusCode": 200}'
JSON = "application/json"
BAD_REQUEST = "BadRequestException"


@pytest.fixture
def api(make_client: Callable[..., Any], local_aws: LocalAws) -> Iterator[RestApi]:
    created = RestApi(make_client("apigateway"), local_aws.endpoint_url)
    yield created
    created.delete()


def root_method(api: RestApi, http_method: str = "GET") -> dict[str, str]:
    root = api.client.get_resources(restApiId=api.id)["items"][0]["id"]
    return {"restApiId": api.id, "resourceId": root, "httpMethod": http_method}


def answer_with(api: RestApi, text: str) -> None:
    """UpdateIntegrationResponse: GET / is to answer this."""
    change = [{"op": "replace", "path": "/responseTemplates/application~1json", "value": text}]
    api.client.update_integration_response(**root_method(api), statusCode="200", patchOperations=change)


def point(api: RestApi, deployment_id: str, stage: str = STAGE) -> None:
    """UpdateStage: the stage is to serve this deployment."""
    change = [{"op": "replace", "path": "/deploymentId", "value": deployment_id}]
    api.client.update_stage(restApiId=api.id, stageName=stage, patchOperations=change)


def refusal(operation: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        operation(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def on_all_methods(effect: str, resource: str, **principal: str) -> str:
    """A policy about invoking methods."""
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource, **principal}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def exported_paths(api: RestApi) -> set[str]:
    export = api.client.get_export(restApiId=api.id, stageName=STAGE, exportType="oas30")
    return set(json.loads(export["body"].read())["paths"])


def test_changes_reach_a_stage_with_its_next_deployment(api: RestApi) -> None:
    api.mock("/", OK, Answer(template="first"))
    answer_with(api, "second")
    added = api.method("/added", "GET")
    api.client.put_integration(**added, type="MOCK", requestTemplates={JSON: OK})
    api.client.put_method_response(**added, statusCode="200")
    api.client.put_integration_response(**added, statusCode="200")
    unknown = {"restApiId": api.id, "responseType": "MISSING_AUTHENTICATION_TOKEN"}
    api.client.put_gateway_response(**unknown, statusCode="404")

    assert api.call("GET", "/").text == "first"
    assert api.call("GET", "/added").status == 403
    assert exported_paths(api) == {"/"}
    api.deploy()
    assert api.call("GET", "/").text == "second"
    assert api.call("GET", "/added").status == 200
    assert api.call("GET", "/none").status == 404
    assert exported_paths(api) == {"/", "/added"}

    api.client.delete_resource(restApiId=api.id, resourceId=added["resourceId"])
    assert api.call("GET", "/added").status == 200
    api.deploy()
    assert api.call("GET", "/added").status == 404


def test_a_stage_goes_back_to_an_earlier_deployment_and_forward_again(api: RestApi) -> None:
    api.mock("/", OK, Answer(template="first"))
    first = api.client.get_stage(restApiId=api.id, stageName=STAGE)["deploymentId"]
    answer_with(api, "second")
    second = api.deploy()
    point(api, first)
    assert api.call("GET", "/").text == "first"
    # What is configured is not what is served: the next deployment has it again.
    assert api.client.get_integration_response(**root_method(api), statusCode="200")["responseTemplates"] == {
        JSON: "second"
    }
    point(api, second)
    assert api.call("GET", "/").text == "second"


def test_stages_serve_deployments_of_their_own_and_variables_at_once(api: RestApi) -> None:
    """ "Deploy REST APIs ...": anything other than stage settings is redeployed."""
    api.mock("/", OK, Answer(template="first $stageVariables.color"))
    answer_with(api, "second $stageVariables.color")
    deployment = api.client.create_deployment(restApiId=api.id)["id"]
    api.client.create_stage(
        restApiId=api.id, stageName="other", deploymentId=deployment, variables={"color": "green"}
    )
    for stage, color in ((STAGE, "red"), ("other", "blue")):
        change = [{"op": "replace", "path": "/variables/color", "value": color}]
        api.client.update_stage(restApiId=api.id, stageName=stage, patchOperations=change)
    assert api.call("GET", "/").text == "first red"
    assert call(api.url.removesuffix(STAGE) + "other/", "GET").text == "second blue"


def test_authorization_and_validation_change_with_a_deployment(api: RestApi) -> None:
    """ "Updates to REST APIs ...": Authorizer, Method, Model, RequestValidator."""
    schema = {"type": "object", "required": ["id"]}
    model = {"restApiId": api.id, "modelName": "Order"}
    api.client.create_model(
        restApiId=api.id, name="Order", contentType="application/json", schema=json.dumps(schema)
    )
    validator = api.client.create_request_validator(restApiId=api.id, validateRequestBody=True)["id"]
    authorizer = api.client.create_authorizer(
        restApiId=api.id,
        name="tokens",
        type="TOKEN",
        authorizerUri="arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
        "arn:aws:lambda:us-east-1:111122223333:function:not-there/invocations",
        identitySource="method.request.header.Authorization",
        identityValidationExpression="old-.*",
    )["id"]
    mock = {"type": "MOCK", "requestTemplates": {JSON: OK}}
    checked = api.method("/checked", "POST", requestModels={JSON: "Order"}, requestValidatorId=validator)
    api.integrate(checked, Answer(), **mock)
    guarded = api.method("/guarded", "GET", authorizationType="CUSTOM", authorizerId=authorizer)
    api.integrate(guarded, Answer(), **mock)
    opened = api.method("/opened", "GET")
    api.integrate(opened, Answer(), **mock)

    def statuses() -> list[int]:
        return [
            api.call("POST", "/checked", {"id": 1}).status,
            api.call("POST", "/checked", {"number": 1}).status,
            # 401 without asking the function, 500 because it is not there.
            api.call("GET", "/guarded", Authorization="old-token").status,
            api.call("GET", "/guarded", Authorization="new-token").status,
            api.call("GET", "/opened").status,
        ]

    def change(path: str, value: str) -> dict[str, Any]:
        return {"patchOperations": [{"op": "replace", "path": path, "value": value}]}

    before = [200, 400, 500, 401, 200]
    assert statuses() == before
    api.client.update_model(**model, **change("/schema", json.dumps(schema | {"required": ["number"]})))
    api.client.update_authorizer(
        restApiId=api.id, authorizerId=authorizer, **change("/identityValidationExpression", "new-.*")
    )
    api.client.update_method(**opened, **change("/authorizationType", "AWS_IAM"))
    assert statuses() == before
    api.deploy()
    assert statuses() == [400, 200, 401, 500, 403]
    api.client.update_request_validator(
        restApiId=api.id, requestValidatorId=validator, **change("/validateRequestBody", "false")
    )
    assert api.call("POST", "/checked", {"id": 1}).status == 400
    api.deploy()
    assert api.call("POST", "/checked", {"id": 1}).status == 200


def test_the_resource_policy_and_binary_types_change_with_a_deployment(api: RestApi) -> None:
    """ "Create and attach an API Gateway resource policy to an API": after an update, deploy the API."""
    deny = on_all_methods("Deny", "execute-api:/*", Principal="*")
    image, encoded = b"image", base64.b64encode(b"image").decode()
    is_encoded = f'#if($input.body == "{encoded}") {{"statusCode": 200}} #else {{"statusCode": 500}} #end'
    api.integrate(
        api.method("/", "POST"),
        Answer(),
        Answer(500, pattern="500"),
        type="MOCK",
        requestTemplates={"image/png": is_encoded},
        contentHandling="CONVERT_TO_TEXT",
    )

    def status_after(op: str, path: str, **value: str) -> tuple[int, int]:
        """What the stage answers before the change is deployed, and after."""
        change = [{"op": op, "path": path, **value}]
        api.client.update_rest_api(restApiId=api.id, patchOperations=change)
        before = api.call("POST", "/", image, Content_Type="image/png").status
        api.deploy()
        return before, api.call("POST", "/", image, Content_Type="image/png").status

    assert status_after("add", "/binaryMediaTypes/image~1png") == (500, 200)
    assert status_after("replace", "/policy", value=deny) == (200, 403)
    assert status_after("remove", "/policy") == (403, 200)


def test_who_may_call_changes_with_a_deployment(api: RestApi, make_client: Callable[..., Any]) -> None:
    """ "How API Gateway resource policies affect authorization workflow": IAM authentication."""
    iam, user = make_client("iam"), {"UserName": f"caller-{api.id}"}
    iam.create_user(**user)
    key = iam.create_access_key(**user)["AccessKey"]
    caller = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    api.mock("/", OK, Answer())
    change = {"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}
    api.client.update_method(**root_method(api), patchOperations=[change])
    assert api.signed_call("GET", "/", caller).status == 200
    api.deploy()
    assert api.signed_call("GET", "/", caller).status == 403

    iam.put_user_policy(**user, PolicyName="invoke", PolicyDocument=on_all_methods("Allow", "*"))
    deny = on_all_methods("Deny", "execute-api:/*", Principal="*")
    change = {"op": "replace", "path": "/policy", "value": deny}
    api.client.update_rest_api(restApiId=api.id, patchOperations=[change])
    assert api.signed_call("GET", "/", caller).status == 200
    api.deploy()
    assert api.signed_call("GET", "/", caller).status == 403


def test_an_api_that_could_not_answer_is_not_deployed(api: RestApi) -> None:
    create = api.client.create_deployment
    assert refusal(create, restApiId=api.id) == (BAD_REQUEST, "The REST API doesn't contain any methods")
    method = api.method("/", "GET")
    refused = (BAD_REQUEST, "No integration defined for method")
    assert refusal(create, restApiId=api.id, stageName=STAGE) == refused
    assert api.client.get_deployments(restApiId=api.id)["items"] == []
    assert api.client.get_stages(restApiId=api.id)["item"] == []
    api.integrate(method, Answer(), type="MOCK", requestTemplates={JSON: OK})
    assert api.call("GET", "/").status == 200
    assert refusal(create, restApiId="none")[0] == "NotFoundException"


def test_a_stage_needs_a_deployment_and_keeps_it(api: RestApi) -> None:
    api.mock("/", OK, Answer())
    stage = {"restApiId": api.id, "stageName": "other"}
    missing = (BAD_REQUEST, "Deployment id does not exist")
    assert refusal(api.client.create_stage, **stage, deploymentId="none") == missing
    first = api.client.get_stage(restApiId=api.id, stageName=STAGE)["deploymentId"]
    api.client.create_stage(**stage, deploymentId=first)
    assert refusal(api.client.create_stage, **stage, deploymentId=first)[0] == "ConflictException"
    with pytest.raises(ClientError, match=missing[1]):
        point(api, "none")

    second = api.deploy()
    deployment = {"restApiId": api.id, "deploymentId": first}
    in_use = (BAD_REQUEST, "Active stages pointing to this deployment must be moved or deleted")
    assert refusal(api.client.delete_deployment, **deployment) == in_use
    point(api, second, stage="other")
    api.client.delete_deployment(**deployment)
    assert [each["id"] for each in api.client.get_deployments(restApiId=api.id)["items"]] == [second]
    with pytest.raises(ClientError, match=missing[1]):
        point(api, first)
    assert api.call("GET", "/").status == 200


def test_deployments_are_of_one_api_in_one_account_and_region(
    make_client: Callable[..., Any], local_aws: LocalAws
) -> None:
    api = RestApi(make_client("apigateway", region="eu-west-1"), local_aws.endpoint_url)
    other = RestApi(make_client("apigateway", region="eu-west-1"), local_aws.endpoint_url)
    for each, text in ((api, "first"), (other, "other")):
        each.mock("/", OK, Answer(template=text))
    deployment = api.client.get_stage(restApiId=api.id, stageName=STAGE)["deploymentId"]
    answer_with(api, "second")
    assert (api.call("GET", "/").text, other.call("GET", "/").text) == ("first", "other")
    with pytest.raises(ClientError, match="Deployment id does not exist"):
        point(other, deployment)
    for elsewhere in ({"region": "us-east-1"}, {"region": "eu-west-1", "account": "444455556666"}):
        client = make_client("apigateway", **elsewhere)
        code, _ = refusal(client.get_deployment, restApiId=api.id, deploymentId=deployment)
        assert code == "NotFoundException"
    api.delete()
    assert refusal(api.client.get_deployments, restApiId=api.id)[0] == "NotFoundException"
    assert other.call("GET", "/").text == "other"
    other.delete()
