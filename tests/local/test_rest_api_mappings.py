"""What of a request reaches the backend, and what of its answer reaches the client.

API Gateway developer guide, "Method request behavior for payloads without mapping templates for REST
APIs", "Parameter mapping source reference for REST APIs", "Set up an integration response in API
Gateway", "Mock integrations for REST APIs in API Gateway".
"""

import base64
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_apis import Answer, RestApi

from helpers.local_aws import LocalAws

JSON = "application/json"
INTERNAL_ERROR = {"message": "Internal server error"}
UNSUPPORTED = {"message": "Unsupported Media Type"}


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it was sent, and with the status that the path ends in.

    Below /raw that is the body alone, as plain text.
    """

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        document = {
            "method": self.command,
            "path": path,
            "query": query,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": body.decode("latin-1"),
        }
        is_raw = path.startswith("/raw/")
        answer = body if is_raw else json.dumps(document).encode()
        self.send_response(int(path.rpartition("/")[2]))
        self.send_header("Content-Type", "text/plain" if is_raw else JSON)
        self.send_header("X-Backend", "echo")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def echo_url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api(make_client: Callable[..., Any], local_aws: LocalAws) -> Iterator[RestApi]:
    created = RestApi(make_client("apigateway"), local_aws.endpoint_url)
    yield created
    created.delete()


PASSED, TRANSFORMED, REFUSED = '{"n": 1}', '{"mapped": 1}', None


@pytest.mark.parametrize(
    ("behavior", "templates", "content_type", "received"),
    [
        ("WHEN_NO_MATCH", [JSON], JSON, TRANSFORMED),
        ("WHEN_NO_MATCH", [JSON], "text/plain", PASSED),
        ("WHEN_NO_MATCH", [], JSON, PASSED),
        ("WHEN_NO_TEMPLATES", [JSON], JSON, TRANSFORMED),
        ("WHEN_NO_TEMPLATES", [JSON], "text/plain", REFUSED),
        ("WHEN_NO_TEMPLATES", [], "text/plain", PASSED),
        ("NEVER", [JSON], JSON, TRANSFORMED),
        ("NEVER", [JSON], "application/json; charset=utf-8", TRANSFORMED),
        ("NEVER", [JSON], "text/plain", REFUSED),
        ("NEVER", [], JSON, REFUSED),
    ],
)
def test_a_body_without_a_template_passes_as_the_integration_says(
    api: RestApi, echo_url: str, behavior: str, templates: list[str], content_type: str, received: str | None
) -> None:
    api.integrate(
        api.method("/", "POST"),
        Answer(),
        type="HTTP",
        integrationHttpMethod="POST",
        uri=f"{echo_url}/200",
        requestTemplates=dict.fromkeys(templates, """{"mapped": $input.json('$.n')}"""),
        passthroughBehavior=behavior,
    )
    reply = api.call("POST", "/", PASSED.encode(), Content_Type=content_type)
    if received is REFUSED:
        assert (reply.status, reply.document) == (415, UNSUPPORTED)
    else:
        assert (reply.status, reply.document["body"]) == (200, received)


def test_parameters_of_the_integration_request_come_from_all_sources(api: RestApi, echo_url: str) -> None:
    """ "Parameter mapping source reference ...": tables of the method request and of other sources."""
    method = api.method("/items/{id}", "POST", ("path.id", "querystring.q", "header.x-client"))
    mappings = {
        "path.id": "method.request.path.id",
        "querystring.last": "method.request.querystring.q",
        "querystring.all": "method.request.multivaluequerystring.q",
        "header.x-from-header": "method.request.header.x-client",
        "header.x-from-body": "method.request.body.order.lines[0].name",
        "header.x-whole-order": "method.request.body.order",
        "header.x-stage-variable": "stageVariables.color",
        "header.x-context": "context.identity.sourceIp",
        "header.x-static": "'fixed, as it is'",
        "header.x-absent": "method.request.body.nothing",
    }
    api.integrate(
        method,
        Answer(),
        type="HTTP",
        integrationHttpMethod="PUT",
        uri=f"{echo_url}/${{stageVariables.color}}/{{id}}/200",
        requestParameters={f"integration.request.{name}": source for name, source in mappings.items()},
        variables={"color": "blue"},
    )
    order = {"order": {"lines": [{"name": "tea"}]}}
    received = api.call("POST", "/items/7?q=a&q=b&other=1", order, x_client="c1").document
    assert (received["method"], received["path"]) == ("PUT", "/blue/7/200")
    assert received["query"] == "last=b&all=a&all=b"
    headers = received["headers"]
    assert {
        "x-from-header": "c1",
        "x-from-body": "tea",
        "x-whole-order": '{"lines":[{"name":"tea"}]}',
        "x-stage-variable": "blue",
        "x-context": "127.0.0.1",
        "x-static": "fixed, as it is",
        "user-agent": f"AmazonAPIGateway_{api.id}",
    }.items() <= headers.items()
    assert "x-absent" not in headers and "x-client" not in headers


def test_a_mapped_body_must_be_json(api: RestApi, echo_url: str) -> None:
    api.integrate(
        api.method("/", "POST"),
        Answer(),
        type="HTTP",
        integrationHttpMethod="POST",
        uri=f"{echo_url}/200",
        requestParameters={"integration.request.header.x-name": "method.request.body.name"},
    )
    reply = api.call("POST", "/", b"{broken")
    assert (reply.status, reply.document) == (400, {"message": "Invalid JSON in request body"})


def test_a_request_template_overrides_parameters(api: RestApi, echo_url: str) -> None:
    """ "Override your API's request and response parameters and status codes for REST APIs"."""
    template = """#set($context.requestOverride.header.x-name = "from the template")
#set($context.requestOverride.querystring.q = ["1", "2"])
#set($context.requestOverride.path.id = $input.path('$.id'))
{"mapped": true}"""
    api.integrate(
        api.method("/items/{id}", "POST", ("path.id",)),
        Answer(),
        type="HTTP",
        integrationHttpMethod="POST",
        uri=f"{echo_url}/{{id}}/200",
        requestParameters={
            "integration.request.path.id": "method.request.path.id",
            "integration.request.header.x-name": "'mapped'",
        },
        requestTemplates={JSON: template},
    )
    received = api.call("POST", "/items/7", {"id": "8"}).document
    assert (received["path"], received["query"]) == ("/8/200", "q=1&q=2")
    assert received["headers"]["x-name"] == "from the template"
    assert json.loads(received["body"]) == {"mapped": True}


def test_responses_are_selected_by_the_whole_status_code(api: RestApi, echo_url: str) -> None:
    api.integrate(
        api.method("/{status}", "GET", ("path.status",)),
        Answer(200),
        Answer(400, pattern=r"4\d{2}", template='{"client": true}'),
        Answer(502, pattern="50", template='{"never": true}'),
        type="HTTP",
        integrationHttpMethod="GET",
        uri=f"{echo_url}/{{status}}",
        requestParameters={"integration.request.path.status": "method.request.path.status"},
    )
    assert (api.call("GET", "/404").status, api.call("GET", "/404").document) == (400, {"client": True})
    assert api.call("GET", "/201").status == 200
    assert (api.call("GET", "/500").status, api.call("GET", "/500").document["path"]) == (200, "/500")


def test_without_a_matching_or_default_response_the_api_is_misconfigured(api: RestApi, echo_url: str) -> None:
    api.integrate(
        api.method("/", "GET"),
        Answer(200, pattern="200"),
        type="HTTP",
        integrationHttpMethod="GET",
        uri=f"{echo_url}/201",
    )
    reply = api.call("GET", "/")
    assert (reply.status, reply.document) == (500, INTERNAL_ERROR)


def test_headers_of_the_method_response_are_mapped_and_overridden(api: RestApi, echo_url: str) -> None:
    template = """#set($context.responseOverride.header.X-Template = "set")
#set($context.responseOverride.header.x-static = "overridden")
#set($context.responseOverride.status = $util.parseJson('202'))
$input.json('$.path')"""
    parameters = {
        "method.response.header.X-From-Header": "integration.response.header.X-Backend",
        "method.response.header.X-From-Body": "integration.response.body.path",
        "method.response.header.X-Static": "'mapped'",
        "method.response.header.X-Absent": "integration.response.header.X-Absent",
        "method.response.header.Content-Type": "'text/plain'",
    }
    api.integrate(
        api.method("/", "GET"),
        Answer(template=template, parameters=parameters),
        type="HTTP",
        integrationHttpMethod="GET",
        uri=f"{echo_url}/200",
    )
    reply = api.call("GET", "/")
    assert (reply.status, reply.text) == (202, '"/200"')
    assert {
        "x-from-header": "echo",
        "x-from-body": "/200",
        "x-static": "overridden",
        "x-template": "set",
        "content-type": "text/plain",
    }.items() <= reply.headers.items()
    assert "x-absent" not in reply.headers and "x-backend" not in reply.headers


@pytest.mark.parametrize("status", ["99", "600", "'404'"])
def test_a_status_that_is_none_overrides_nothing(api: RestApi, status: str) -> None:
    override = f"#set($context.responseOverride.status = {status})done"
    api.mock("/", '{"statusCode": 200}', Answer(template=override))
    reply = api.call("GET", "/")
    assert (reply.status, reply.text) == (200, "done")


def test_the_response_template_is_chosen_by_what_the_client_accepts(api: RestApi) -> None:
    templates = {JSON: '{"json": true}', "text/plain": "plain"}
    api.mock("/", '{"statusCode": 200}', Answer(settings={"responseTemplates": templates}))
    assert api.call("GET", "/", Accept="text/plain").text == "plain"
    assert api.call("GET", "/", Accept="image/png").text == '{"json": true}'


def test_a_mock_integration_answers_with_the_status_of_its_template(api: RestApi) -> None:
    request = """#if($input.params('fail') == 'yes'){"statusCode": 503}#{else}{statusCode: 200,}#end"""
    busy = Answer(503, pattern=r"5\d{2}", template='{"busy": "$context.httpMethod $context.path"}')
    api.mock("/mock", request, Answer(template='{"id": "$context.requestId"}'), busy)
    fine = api.call("GET", "/mock")
    assert (fine.status, fine.document) == (200, {"id": fine.headers["x-amzn-requestid"]})
    failing = api.call("GET", "/mock?fail=yes")
    assert (failing.status, failing.document) == (503, {"busy": "GET /test/mock"})


def test_a_mock_integration_without_a_status_is_misconfigured(api: RestApi) -> None:
    api.mock("/", '{"status": 200}', Answer())
    assert (api.call("GET", "/").status, api.call("GET", "/").document) == (500, INTERNAL_ERROR)


@pytest.mark.parametrize(
    ("accept", "handling", "decoded"),
    [
        ("text/plain", None, False),
        ("image/png", None, True),
        ("image/png, text/plain", None, True),
        ("image/png", "CONVERT_TO_TEXT", False),
        ("text/plain", "CONVERT_TO_BINARY", True),
    ],
)
def test_text_becomes_binary_as_the_client_accepts_or_the_response_says(
    make_client: Callable[..., Any],
    local_aws: LocalAws,
    echo_url: str,
    accept: str,
    handling: str | None,
    decoded: bool,
) -> None:
    """Developer guide, "Content type conversions in API Gateway": table of responses."""
    api = RestApi(make_client("apigateway"), local_aws.endpoint_url, binaryMediaTypes=["image/png"])
    api.integrate(
        api.method("/", "POST"),
        Answer(settings={"contentHandling": handling} if handling else {}),
        type="HTTP",
        integrationHttpMethod="POST",
        uri=f"{echo_url}/raw/200",
    )
    image = bytes(range(256))
    encoded = base64.b64encode(image)
    assert api.call("POST", "/", encoded, Accept=accept).body == (image if decoded else encoded)
    api.delete()
