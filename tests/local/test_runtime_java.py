"""Java functions: handlers, JSON, context and log."""

import base64
import json
import re
from typing import Any

from deployed import in_parallel
from java_functions import own_lines

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,3}Z"
HANDLERS = [
    ("Handlers$OfInterface", {"a": 1, "b": 2}, 3),
    ("Handlers$OfInterface::handleRequest", {"a": 1, "b": 2}, 3),
    ("Handlers$OfGenericParent", {"count": 2, "unknown": 1}, [{"count": 2, "express": False}] * 2),
    ("Handlers$OfStream", "tea", {"upper": "TEA"}),
    ("Handlers::ofStatic", "Läden", "Hello Läden"),
    ("Handlers::ofNothing", {}, "nothing"),
    ("Handlers::ofContext", {}, "$LATEST"),
    ("Handlers::ofVoid", 7, None),
    ("Handlers::ofStreams", [1, None], [1, None]),
    ("Handlers::overloaded", "x", "with context"),
]


def test_handlers_of_every_kind(deploy_java: Any) -> None:
    """Lambda developer guide, "Define Lambda function handler in Java": interfaces and handler names."""

    def run(case: Any) -> Any:
        handler, event, _ = case
        return handler, event, deploy_java(handler).invoke(event).payload

    assert in_parallel(run, HANDLERS) == HANDLERS


ORDER = {
    "shopName": "Läden 🛒",
    "count": 3,
    "price": 1.5,
    "express": True,
    "state": "PAID",
    "items": [{"name": "tea", "size": 5_000_000_000, "weight": 0.1}],
    "data": "AQI=",
    "URL": "x",
}
JSON = [
    ("Json::any", value, value)
    for value in (
        {"text": 'q"\\\n\u0001', "null": None, "list": [1, 2.5, True, [], {}], "big": 2**70, "long": 2**40},
        "plain",
        -0.25,
        None,
    )
]
JSON += [
    ("Json::bean", ORDER, ORDER),
    ("Json::bean", {"count": "4", "price": None, "items": {"name": "one"}, "state": "NO"}, {"count": 4}),
    ("Json::records", [{"name": "a", "size": 2}, {}], [{"name": "a", "size": 2}, {"size": 0}]),
    ("Json::big", 10**40, 10**40),
    ("Json::text", 5, "5"),
    (
        "Json::odd",
        {},
        {"nan": "NaN", "optional": 1, "none": None, "array": [1, 2], "control": "a\u0001\u2028"},
    ),
]


def test_objects_from_and_to_json(deploy_java: Any) -> None:
    """Lambda developer guide, "Define Lambda function handler in Java": input and output types."""
    functions = dict.fromkeys(handler for handler, _, _ in JSON)
    deployed = dict(zip(functions, in_parallel(deploy_java, list(functions)), strict=True))
    for handler, event, expected in JSON:
        client = deployed[handler].client
        # "null" is an event like any other.
        response = client.invoke(FunctionName=deployed[handler].name, Payload=json.dumps(event))
        payload = json.load(response["Payload"])
        if handler == "Json::bean" and expected is not ORDER:
            assert payload.pop("items") == [{"name": "one", "size": 0}]
            assert payload.pop("express") is False
        assert payload == expected, (handler, event)


LIBRARY_EVENT = "com.amazonaws.services.lambda.runtime.events.SQSEvent"


def test_what_has_no_json_fails_the_invocation(deploy_java: Any) -> None:
    """Lambda developer guide, "Define Lambda function handler in Java"; what is not done here is refused."""
    cases = [
        ("Json::bean", [1, 2], "An error occurred during JSON parsing"),
        ("Json::instant", {}, "An error occurred during JSON serialization of response"),
        ("Json::half", {}, "An error occurred during JSON serialization of response"),
        ("Json::circle", {}, "An error occurred during JSON serialization of response"),
        (
            f"{LIBRARY_EVENT}::count",
            {},
            f"The local AWS cannot do this: map an event to {LIBRARY_EVENT}.",
        ),
    ]

    def run(case: Any) -> None:
        handler, event, message = case
        answer = deploy_java(handler).invoke(event)
        assert answer.function_error == "Unhandled"
        assert answer.payload["errorMessage"].startswith(message), handler

    in_parallel(run, cases)


def test_the_context_is_complete(deploy_java: Any) -> None:
    """Lambda developer guide, "Using the Lambda context object to retrieve Java function information"."""
    function = deploy_java("Machine::context", MemorySize=512)
    client_context = {"client": {"app_title": "Läden"}, "custom": {"n": "1"}}
    encoded = base64.b64encode(json.dumps(client_context).encode()).decode()
    answer = function.invoke(ClientContext=encoded)
    context = answer.payload
    assert 8_000 < context.pop("remaining") <= 10_000
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", context.pop("stream"))
    assert context.pop("trace").startswith("Root=1-")
    assert context == {
        "requestId": answer.request_id,
        "function": function.name,
        "version": "$LATEST",
        "arn": f"arn:aws:lambda:us-east-1:111122223333:function:{function.name}",
        "memory": 512,
        "group": f"/aws/lambda/{function.name}",
        "client": "Läden",
        "custom": {"n": "1"},
        "identity": None,
    }


def test_lines_and_events_in_the_log(deploy_java: Any, make_client: Any) -> None:
    """Lambda developer guide, "Log and monitor Java Lambda functions"."""
    function = deploy_java("Machine::log")
    function.invoke()
    assert own_lines(make_client, function) == [
        "zwei Läden",
        "in two lines",
        "on standard error",
        "one event\nof two lines",
        "[WARN] with level",
        "[DEBUG] too low",
    ]


def test_the_json_format_and_its_level(deploy_java: Any, make_client: Any) -> None:
    """Lambda developer guide, "Log and monitor Java Lambda functions": structured logging."""
    function = deploy_java("Machine::log", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO"})
    answer = function.invoke()
    lines = own_lines(make_client, function)
    assert lines[:3] == ["zwei Läden", "in two lines", "on standard error"]
    documents = [json.loads(line) for line in lines[3:]]
    assert all(re.fullmatch(TIME, document.pop("timestamp")) for document in documents)
    common = {"AWSRequestId": answer.request_id}
    assert documents == [
        {"message": "one event\nof two lines", "level": "UNDEFINED", **common},
        {"message": "with level", "level": "WARN", **common},
    ]
