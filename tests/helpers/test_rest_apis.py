"""Paths of a REST API are published with what answers on them."""

from typing import Any

import pytest
import urllib3
from botocore.stub import Stubber

from helpers import endpoints, rest_apis
from helpers.rest_apis import publish
from helpers.workshop import Workshop

MOCK = {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": $input.params("status")}'}}
ANSWERS = {"": (200, "\"$input.params('id')\""), "4..": (404, "\"no $input.params('id')\"")}


@pytest.fixture
def api_id(workshop: Workshop) -> str:
    return str(workshop.client("apigateway").create_rest_api(name=workshop.name("shop"))["id"])


def get(workshop: Workshop, api_id: str, path: str) -> tuple[int, Any]:
    answer = urllib3.PoolManager().request("GET", endpoints.rest_api_url(workshop, api_id, "v1", path))
    return answer.status, answer.json()


def paths(workshop: Workshop, api_id: str) -> list[str]:
    resources = workshop.client("apigateway").get_resources(restApiId=api_id)["items"]
    return sorted(resource["path"] for resource in resources)


def test_a_path_answers_by_the_patterns_and_may_use_its_parameters(workshop: Workshop, api_id: str) -> None:
    publish(workshop.client("apigateway"), api_id, "/shops/{status}/orders/{id+}", MOCK, ANSWERS)
    assert get(workshop, api_id, "/shops/200/orders/2026/7") == (200, "2026/7")
    assert get(workshop, api_id, "/shops/404/orders/2026") == (404, "no 2026")


def test_resources_that_are_there_are_used_again(workshop: Workshop, api_id: str) -> None:
    apigateway = workshop.client("apigateway")
    first = publish(apigateway, api_id, "/orders/{id}", MOCK, ANSWERS)
    above = publish(apigateway, api_id, "/orders", MOCK, http_method="POST")
    again = publish(apigateway, api_id, "/orders/{id}", MOCK, http_method="DELETE")
    assert first == again != above
    assert paths(workshop, api_id) == ["/", "/orders", "/orders/{id}"]


def test_the_root_is_a_path_too(workshop: Workshop, api_id: str) -> None:
    template = {"application/json": '{"statusCode": 200}'}
    publish(
        workshop.client("apigateway"), api_id, "/", MOCK | {"requestTemplates": template}, {"": (200, "1")}
    )
    assert paths(workshop, api_id) == ["/"]
    assert get(workshop, api_id, "/") == (200, 1)


@pytest.mark.parametrize("refused", [1, rest_apis.DEPLOYMENT_ATTEMPTS])
def test_a_deployment_that_comes_too_soon_is_repeated(
    workshop: Workshop, api_id: str, monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    """Developer guide, "Quotas for creating and managing APIs": CreateDeployment, one in 5 s."""
    monkeypatch.setattr(rest_apis, "DEPLOYMENT_PAUSE_S", 0)
    apigateway = workshop.client("apigateway")
    method = {"restApiId": api_id, "resourceId": "r1", "httpMethod": "GET"}
    with Stubber(apigateway) as stub:
        stub.add_response("get_resources", {"items": [{"id": "r1", "path": "/"}]})
        stub.add_response("put_method", {}, {**method, "authorizationType": "NONE", "requestParameters": {}})
        stub.add_response("put_integration", {}, {**method, "type": "MOCK"})
        for _ in range(refused):
            stub.add_client_error("create_deployment", "TooManyRequestsException")
        if refused == rest_apis.DEPLOYMENT_ATTEMPTS:
            with pytest.raises(apigateway.exceptions.TooManyRequestsException):
                publish(apigateway, api_id, "/", {"type": "MOCK"})
        else:
            stub.add_response("create_deployment", {"id": "d1"})
            publish(apigateway, api_id, "/", {"type": "MOCK"})
        stub.assert_no_pending_responses()
