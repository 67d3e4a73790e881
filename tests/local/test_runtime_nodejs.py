"""Node.js functions, in the runtimes with callbacks (up to nodejs22.x) and without (nodejs24.x)."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from deployed import DeployedFunction, in_parallel, zipped

WITH_CALLBACKS, WITHOUT_CALLBACKS = "nodejs22.x", "nodejs24.x"
BOTH = pytest.mark.parametrize("runtime", [WITH_CALLBACKS, WITHOUT_CALLBACKS])
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
def deploy_node(deploy: Any) -> Callable[..., DeployedFunction]:
    """`deploy_node({"index.mjs": source}, Handler=...)`; nodejs24.x unless said otherwise."""

    def create(files: Any, runtime: str = WITHOUT_CALLBACKS, **parameters: Any) -> DeployedFunction:
        function: DeployedFunction = deploy(Code={"ZipFile": zipped(files)}, Runtime=runtime, **parameters)
        return function

    return create


def log_of(make_client: Any, function: DeployedFunction) -> list[str]:
    events = make_client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function.name}")["events"]
    return [event["message"] for event in events]


# Finding the handler

FOUND = [
    ({"index.mjs": "export const handler = async () => 'found'"}, "index.handler"),
    ({"index.js": "exports.handler = async () => 'found'"}, "index.handler"),
    ({"index.cjs": "module.exports = { handler: async () => 'found' }"}, "index.handler"),
    (
        {"index.js": "export const handler = async () => 'found'", "package.json": '{"type": "module"}'},
        "index.handler",
    ),
    ({"src/app.mjs": "export const run = async () => 'found'"}, "src/app.run"),
    ({"app.js": "exports.orders = { create: async () => 'found' }"}, "app.orders.create"),
    (
        {"index.mjs": "const f = await Promise.resolve('found'); export const handler = async () => f"},
        "index.handler",
    ),
    (
        {
            "index.mjs": "import { word } from './lib/word.js'; export const handler = async () => word",
            "lib/word.js": "exports.word = 'found'",
        },
        "index.handler",
    ),
]


def test_modules_of_either_kind_and_nested_names(deploy_node: Any) -> None:
    """Lambda developer guide, "Define Lambda function handler in Node.js": ES modules and CommonJS."""

    def run(case: Any) -> Any:
        files, handler = case
        return files, deploy_node(files, WITH_CALLBACKS, Handler=handler).invoke().payload

    assert in_parallel(run, FOUND) == [(files, "found") for files, _ in FOUND]


def test_node_24_also_takes_a_handler_of_the_default_export(deploy_node: Any) -> None:
    """As AWS's runtime interface client for Node.js does from version 4 on, which nodejs24.x has."""
    function = deploy_node({"index.mjs": "export default { handler: async () => 'found' }"})
    assert function.invoke().payload == "found"


ES_MODULE = "import fs from 'node:fs';\nexport const handler = async () => 1"


BROKEN = [
    ({"other.js": ""}, "index.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'index'"),
    (
        {"index.js": "require('absent')"},
        "index.handler",
        "Runtime.ImportModuleError",
        "Error: Cannot find module 'absent'",
    ),
    (
        {"index.mjs": "import 'absent'"},
        "index.handler",
        "Error",
        "Cannot find package 'absent' imported from /var/task/index.mjs",
    ),
    ({"index.mjs": "let ="}, "index.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: "),
    (
        {"index.js": ES_MODULE},
        "index.handler",
        "Runtime.UserCodeSyntaxError",
        "SyntaxError: Cannot use import statement outside a module",
    ),
    (
        {"index.mjs": "export const other = 1"},
        "index.handler",
        "Runtime.HandlerNotFound",
        "index.handler is undefined or not exported",
    ),
    ({"index.mjs": ""}, "index", "Runtime.MalformedHandlerName", "Bad handler"),
    (
        {"index.mjs": ""},
        "../index.handler",
        "Runtime.MalformedHandlerName",
        "'../index.handler' is not a valid handler name.",
    ),
    ({"index.mjs": "throw new RangeError('at load')"}, "index.handler", "RangeError", "at load"),
]


@pytest.mark.usefixtures("view_of_lambda")
def test_a_module_that_cannot_be_loaded_fails_init(deploy_node: Any, make_client: Any) -> None:
    """Lambda developer guide, "Troubleshoot deployment issues", "Failures during the Init phase"."""

    def run(case: Any) -> None:
        files, handler, error_type, message = case
        function = deploy_node(files, WITH_CALLBACKS, Handler=handler)
        answer = function.invoke()
        assert answer.function_error == "Unhandled"
        assert answer.payload["errorType"] == error_type
        assert answer.payload["errorMessage"].startswith(message)
        assert isinstance(answer.payload["trace"], list)
        log = log_of(make_client, function)
        end_of_init = next(index for index, line in enumerate(log) if line.startswith("INIT_REPORT"))
        assert re.match(rf"{TIME}\tundefined\tERROR\tUncaught Exception \t\{{", log[end_of_init - 1])
        assert log[end_of_init].endswith(f"Phase: init\tStatus: error\tError Type: {error_type}")

    in_parallel(run, BROKEN)


def test_what_node_22_switches_off_can_be_switched_on(deploy_node: Any) -> None:
    """Lambda developer guide, "Building Lambda functions with Node.js": experimental features."""
    options = {"Variables": {"NODE_OPTIONS": "--experimental-detect-module"}}
    assert deploy_node({"index.js": ES_MODULE}, WITH_CALLBACKS, Environment=options).invoke().payload == 1
    assert deploy_node({"index.js": ES_MODULE}, WITHOUT_CALLBACKS).invoke().payload == 1


# The context


@BOTH
def test_the_context_is_complete(deploy_node: Any, runtime: str) -> None:
    """Lambda developer guide, "Using the Lambda context object to retrieve Node.js function information"."""
    source = """
        export const handler = async (event, context) => ({
            ...context,
            remainingMs: context.getRemainingTimeInMillis(),
            methods: Object.keys(context).filter((key) => typeof context[key] === 'function').sort(),
        });
    """
    function = deploy_node({"index.mjs": source}, runtime)
    client_context = {"custom": {"shop": "Läden"}}
    answer = function.invoke(ClientContext=base64.b64encode(json.dumps(client_context).encode()).decode())
    context = answer.payload
    assert 9_000 < context.pop("remainingMs") <= 10_000
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", context.pop("logStreamName"))
    ending = {"callbackWaitsForEmptyEventLoop": True} if runtime == WITH_CALLBACKS else {}
    assert context.pop("methods") == sorted(
        ["getRemainingTimeInMillis", *(["done", "fail", "succeed"] if ending else [])]
    )
    assert context == {
        "functionName": function.name,
        "functionVersion": "$LATEST",
        "invokedFunctionArn": f"arn:aws:lambda:us-east-1:111122223333:function:{function.name}",
        "memoryLimitInMB": "1769",
        "awsRequestId": answer.request_id,
        "logGroupName": f"/aws/lambda/{function.name}",
        "clientContext": client_context,
        **ending,
    }


# Answers


def test_callbacks_up_to_node_22(deploy_node: Any) -> None:
    """Lambda developer guide, "Define Lambda function handler in Node.js": callback-based handlers."""
    source = """
        const ways = [
            (context, callback) => callback(null, 'later'),
            (context, callback) => setTimeout(() => callback(null, 'later'), 20),
            (context, callback) => { callback(null, 'later'); callback(null, 'no'); context.fail('no'); },
            (context) => context.succeed('later'),
            (context) => setTimeout(() => context.done(null, 'later'), 20),
            (context) => new Promise((resolve) => setTimeout(() => resolve('later'), 20)),
        ];
        exports.handler = (event, context, callback) => ways[event.way](context, callback);
    """
    function = deploy_node({"index.js": source}, WITH_CALLBACKS)
    assert [function.invoke({"way": way}).payload for way in range(6)] == ["later"] * 6


def test_a_callback_waits_for_the_event_loop_unless_told_not_to(deploy_node: Any) -> None:
    """Lambda developer guide, "Using the Lambda context object": callbackWaitsForEmptyEventLoop."""
    source = """
        exports.handler = (event, context, callback) => {
            context.callbackWaitsForEmptyEventLoop = event.wait;
            setTimeout(() => {}, 700);
            callback(null, 'answered');
        };
    """
    function = deploy_node({"index.js": source}, WITH_CALLBACKS)
    at_once, waited = function.invoke({"wait": False}), function.invoke({"wait": True})
    assert (at_once.payload, waited.payload) == ("answered", "answered")
    assert at_once.figure("Duration") < 500 < 690 < waited.figure("Duration")


def test_node_24_refuses_callbacks(deploy_node: Any) -> None:
    """AWS Compute Blog, "Node.js 24 runtime now available in AWS Lambda": callbacks are removed."""
    source = "exports.handler = (event, context, callback) => callback(null, 1)"
    answer = deploy_node({"index.js": source}).invoke()
    assert answer.payload["errorType"] == "Runtime.CallbackHandlerDeprecated"
    assert "removed support for callback-based function handlers" in answer.payload["errorMessage"]


@pytest.mark.usefixtures("view_of_lambda")
def test_an_error_is_returned_with_its_trace_and_keeps_the_environment(
    deploy_node: Any, make_client: Any
) -> None:
    """Lambda developer guide, "Using the Lambda runtime API for custom runtimes": errorType and trace."""
    source = """let calls = 0;
        class OrderRefused extends Error { name = 'OrderRefused'; code = 'E7'; }
        export const handler = async (event) => {
            calls += 1;
            if (event.fail) throw new OrderRefused(`order ${calls}`);
            return calls;
        };
    """
    function = deploy_node({"index.mjs": source})
    failed = function.invoke({"fail": True})
    assert failed.function_error == "Unhandled"
    assert (failed.payload["errorType"], failed.payload["errorMessage"]) == ("OrderRefused", "order 1")
    assert "(file:///var/task/index.mjs:5:35)" in failed.payload["trace"][1]
    prefix = rf"{TIME}\t{failed.request_id}\tERROR\tInvoke Error \t"
    logged = next(line for line in log_of(make_client, function) if re.match(prefix, line))
    details = json.loads(re.sub(prefix, "", logged))
    assert (details["errorType"], details["errorMessage"], details["code"]) == (
        "OrderRefused",
        "order 1",
        "E7",
    )
    assert function.invoke().payload == 2


FATAL = [
    ("throw 'text'", WITHOUT_CALLBACKS, "string", "text"),
    ("return 10n", WITHOUT_CALLBACKS, "Error", "Unable to stringify response body"),
    (
        "await new Promise(() => {})",
        WITH_CALLBACKS,
        "Runtime.NodeJsExit",
        "The Lambda runtime client detected an unexpected Node.js exit code.",
    ),
    ("process.exit(7)", WITHOUT_CALLBACKS, "Runtime.ExitError", "exit status 7"),
    ("await new Promise(() => {})", WITHOUT_CALLBACKS, "Runtime.ExitError", "without providing a reason"),
    (
        "setTimeout(() => { throw new RangeError('nobody catches') }); await new Promise(() => {})",
        WITHOUT_CALLBACKS,
        "RangeError",
        "nobody catches",
    ),
    (
        "Promise.reject(new Error('nobody waits')); await new Promise((done) => setTimeout(done, 50))",
        WITHOUT_CALLBACKS,
        "Runtime.UnhandledPromiseRejection",
        "Error: nobody waits",
    ),
]


def test_what_ends_an_invocation_with_an_error(deploy_node: Any) -> None:
    """Lambda developer guide, "Troubleshoot invocation issues in Lambda"."""

    def run(case: Any) -> None:
        body, runtime, error_type, message = case
        source = f"export const handler = async (event) => {{ if (event.fail) {{ {body} }} return 'well'; }}"
        function = deploy_node({"index.mjs": source}, runtime)
        failed = function.invoke({"fail": True})
        assert failed.function_error == "Unhandled"
        assert failed.payload["errorType"] == error_type
        assert message in failed.payload["errorMessage"]
        assert function.invoke().payload == "well"

    in_parallel(run, FATAL)


def test_a_large_event_and_a_large_response(deploy_node: Any) -> None:
    """Lambda quotas: 6 MB for request and response of a synchronous invocation."""
    function = deploy_node({"index.mjs": "export const handler = async (event) => event"})
    event = {"text": "ü" * 2_500_000}
    assert (
        json.loads(
            function.client.invoke(FunctionName=function.name, Payload=json.dumps(event, ensure_ascii=False))[
                "Payload"
            ].read()
        )
        == event
    )


def test_streamed_responses_are_delivered_in_one_piece(deploy_node: Any) -> None:
    """Lambda developer guide, "Response streaming for Lambda functions"; Invoke returns it whole."""
    source = """
        export const handler = awslambda.streamifyResponse(async (event, stream, context) => {
            stream.write(`${context.functionVersion} `);
            setTimeout(() => stream.end('end'), 20);
        });
    """
    function = deploy_node({"index.mjs": source})
    body = function.client.invoke(FunctionName=function.name)["Payload"].read()
    assert body == b"$LATEST end"


def test_a_response_cannot_be_streamed_to_the_caller(deploy_node: Any) -> None:
    """Lambda API reference, "InvokeWithResponseStream": refused rather than answered with something else."""
    function = deploy_node({"index.mjs": "export const handler = async () => 1"})
    with pytest.raises(ClientError) as caught:
        function.client.invoke_with_response_stream(FunctionName=function.name)
    assert caught.value.response["Error"]["Code"] == "NotImplementedException"


def test_a_stream_that_never_ends_is_an_error(deploy_node: Any) -> None:
    source = (
        "export const handler = awslambda.streamifyResponse(async (event, stream) => { stream.write('a'); })"
    )
    answer = deploy_node({"index.mjs": source}).invoke()
    assert answer.payload["errorMessage"] == "Response stream is not finished."


# The log


@BOTH
def test_each_call_of_the_console_is_one_event(deploy_node: Any, make_client: Any, runtime: str) -> None:
    """Lambda developer guide, "Log and monitor Node.js Lambda functions"."""
    source = """
        console.log('loading\\nthe module');
        export const handler = async () => {
            console.log('order %d of', 7, { shop: 'Läden' });
            console.info('info'); console.warn('warn'); console.error('error'); console.debug('debug');
            process.stdout.write('written\\nas it is\\n');
        };
    """
    function = deploy_node({"index.mjs": source}, runtime)
    request_id = function.invoke().request_id
    log = [re.sub(f"^{TIME}", "TIME", line) for line in log_of(make_client, function)]
    before_the_first_event = "undefined" if runtime == WITH_CALLBACKS else "-"
    assert log[1] == f"TIME\t{before_the_first_event}\tINFO\tloading\nthe module"
    assert log[3:-2] == [
        f"TIME\t{request_id}\tINFO\torder 7 of {{ shop: 'Läden' }}",
        f"TIME\t{request_id}\tINFO\tinfo",
        f"TIME\t{request_id}\tWARN\twarn",
        f"TIME\t{request_id}\tERROR\terror",
        f"TIME\t{request_id}\tDEBUG\tdebug",
        "written",
        "as it is",
    ]


def test_json_log_format_and_level(deploy_node: Any, make_client: Any) -> None:
    """Lambda developer guide, "Using Lambda advanced logging controls with Node.js"."""
    source = """
        export const handler = async () => {
            console.debug('hidden'); console.info('hidden');
            console.warn({ order: 7 });
            console.error('failed:', new RangeError('too far'));
        };
    """
    logging_config = {"LogFormat": "JSON", "ApplicationLogLevel": "WARN"}
    function = deploy_node({"index.mjs": source}, LoggingConfig=logging_config)
    request_id = function.invoke().request_id
    events = [json.loads(line) for line in log_of(make_client, function)]
    warning, error = [event for event in events if "level" in event]
    assert re.fullmatch(TIME, warning.pop("timestamp"))
    assert warning == {"level": "WARN", "requestId": request_id, "message": {"order": 7}}
    assert (error["level"], error["errorType"], error["errorMessage"]) == ("ERROR", "RangeError", "too far")
    assert error["message"].startswith("failed: RangeError: too far\n")
    assert error["stackTrace"][0] == "RangeError: too far"


@pytest.mark.usefixtures("view_of_lambda")
def test_environment_variables_and_trace_header(deploy_node: Any) -> None:
    """Lambda developer guide, "Working with Lambda environment variables"."""
    function = deploy_node({"index.mjs": "export const handler = async () => process.env"}, MemorySize=256)
    variables = function.invoke().payload
    assert variables["AWS_EXECUTION_ENV"] == "AWS_Lambda_nodejs24.x"
    folders = ["/opt/nodejs/node24/node_modules", "/opt/nodejs/node_modules", "/var/runtime/node_modules"]
    assert variables["NODE_PATH"] == ":".join([*folders, "/var/runtime", "/var/task"])
    assert variables["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    assert not {"_LAMBDA_TELEMETRY_LOG_FD", "PWD", "OLDPWD", "HOME"} & set(variables)
