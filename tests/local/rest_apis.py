"""REST APIs for tests: a method with its integration in one call, and requests to them over HTTP."""

import itertools
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from helpers.local_aws import SECRET_ACCESS_KEY

STAGE = "test"
# The root user of the account that the tests use.
ROOT = Credentials("111122223333", SECRET_ACCESS_KEY)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Reply:
    """Names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """An integration response, and the method response that belongs to it."""

    status: int = 200
    pattern: str = ""
    template: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


class RestApi:
    """`client` is of API Gateway, `endpoint_url` that of the local AWS."""

    def __init__(self, client: Any, endpoint_url: str, **settings: Any) -> None:
        self.client = client
        self.name = settings.pop("name", f"rest-{next(_numbers)}")
        self.id = client.create_rest_api(name=self.name, **settings)["id"]
        self.url = f"{endpoint_url}/_aws/execute-api/{self.id}/{STAGE}"
        self._resources = {"": client.get_resources(restApiId=self.id)["items"][0]["id"]}

    def method(self, path: str, http_method: str, parameters: tuple[str, ...] = (), **settings: Any) -> Any:
        """PutMethod; `parameters` such as "path.id" are those that mappings may use."""
        method = {"restApiId": self.id, "resourceId": self._resource(path), "httpMethod": http_method}
        declared = {f"method.request.{parameter}": False for parameter in parameters}
        settings.setdefault("authorizationType", "NONE")
        self.client.put_method(**method, requestParameters=declared, **settings)
        return method

    def integrate(
        self,
        method: dict[str, str],
        *answers: Answer,
        variables: dict[str, str] | None = None,
        **settings: Any,
    ) -> None:
        """PutIntegration, its responses, and a deployment."""
        self.client.put_integration(**method, **settings)
        for answer in answers:
            status = {"statusCode": str(answer.status)}
            declared = dict.fromkeys(answer.parameters, False)
            self.client.put_method_response(**method, **status, responseParameters=declared)
            templates = {} if answer.template is None else {"application/json": answer.template}
            self.client.put_integration_response(
                **method,
                **status,
                **{
                    "selectionPattern": answer.pattern,
                    "responseTemplates": templates,
                    "responseParameters": answer.parameters,
                    **answer.settings,
                },
            )
        self.deploy(variables=variables or {})

    def deploy(self, stage: str = STAGE, **settings: Any) -> str:
        """CreateDeployment to a stage; `settings` are its other parameters. Returns its ID."""
        return str(self.client.create_deployment(restApiId=self.id, stageName=stage, **settings)["id"])

    def mock(self, path: str, request: str, *answers: Answer, http_method: str = "GET") -> None:
        """A MOCK integration with this request template."""
        method = self.method(path, http_method)
        self.integrate(method, *answers, type="MOCK", requestTemplates={"application/json": request})

    def call(self, http_method: str, path: str, body: Any = None, **headers: str) -> Reply:
        return call(self.url + path, http_method, body, **headers)

    def signed_call(self, http_method: str, path: str, credentials: Credentials = ROOT) -> Reply:
        headers = {"Content-Type": "application/json"}
        request = AWSRequest(method=http_method, url=self.url + path, headers=headers)
        SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
        signature = {
            name: request.headers[name.replace("_", "-")] for name in ("Authorization", "X_Amz_Date")
        }
        return self.call(http_method, path, **signature)

    def delete(self) -> None:
        self.client.delete_rest_api(restApiId=self.id)

    def _resource(self, path: str) -> str:
        path = path.rstrip("/")
        if path not in self._resources:
            parent, _, part = path.rpartition("/")
            created = self.client.create_resource(
                restApiId=self.id, parentId=self._resource(parent), pathPart=part
            )
            self._resources[path] = created["id"]
        return self._resources[path]


def call(url: str, http_method: str, body: Any = None, **headers: str) -> Reply:
    """A body of bytes is sent as it is, any other as JSON. Of `Content_Type` the header's name is made."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    named = {"Content-Type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    request = urllib.request.Request(url, data=data, method=http_method, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return _reply(response)
    except urllib.error.HTTPError as error:
        return _reply(error)


def create_role(
    make_client: Callable[..., Any], name: str, *statements: Any, service: str = "apigateway"
) -> str:
    """ARN of a role that `service` may assume and that may do what `statements` say."""
    iam = make_client("iam")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=_policy(*statements))
    return str(role["Arn"])


def _policy(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _reply(response: Any) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status, headers, response.read())
