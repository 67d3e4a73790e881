"""Java functions: handlers, JSON, context, log, errors, and how the virtual machine is started."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from deployed import DeployedFunction, in_parallel, zipped
from java_functions import compiled, skip_without

SOURCES = {
    "Handlers": """
        package example;
        import com.amazonaws.services.lambda.runtime.*;
        import java.io.*;
        import java.util.*;

        public class Handlers {
            public static class OfInterface implements RequestHandler<Map<String, Integer>, Integer> {
                public Integer handleRequest(Map<String, Integer> event, Context context) {
                    int sum = 0;
                    for (int value : event.values()) sum += value;
                    return sum;
                }
            }
            static abstract class Generic<A> implements RequestHandler<A, List<A>> {}
            public static class OfGenericParent extends Generic<Order> {
                public List<Order> handleRequest(Order order, Context context) {
                    return List.of(order, order);
                }
            }
            public static class OfStream implements RequestStreamHandler {
                public void handleRequest(InputStream in, OutputStream out, Context context)
                        throws IOException {
                    out.write("{\\"upper\\": ".getBytes());
                    out.write(new String(in.readAllBytes(), "UTF-8").toUpperCase().getBytes("UTF-8"));
                    out.write('}');
                }
            }
            public static String ofStatic(String name) { return "Hello " + name; }
            public String ofNothing() { return "nothing"; }
            public String ofContext(Context context) { return context.getFunctionVersion(); }
            public void ofVoid(int number) {}
            public void ofStreams(InputStream in, OutputStream out) throws IOException { in.transferTo(out); }
            public String overloaded(String event) { return "without"; }
            public String overloaded(String event, Context context) { return "with context"; }
            public String overloaded(String first, String second, String third) { return "too long"; }
        }
    """,
    "Order": """
        package example;
        public class Order {
            enum State { OPEN, PAID }
            private String shopName; private int count = 1; private Double price; private boolean express;
            private State state; private java.util.List<Item> items; private byte[] data;
            public String URL;
            public record Item(String name, long size, java.math.BigDecimal weight) {}
            public String getShopName() { return shopName; }
            public void setShopName(String s) { shopName = s; }
            public int getCount() { return count; } public void setCount(int c) { count = c; }
            public Double getPrice() { return price; } public void setPrice(Double p) { price = p; }
            public boolean isExpress() { return express; } public void setExpress(boolean e) { express = e; }
            public State getState() { return state; } public void setState(State s) { state = s; }
            public java.util.List<Item> getItems() { return items; }
            public void setItems(java.util.List<Item> i) { items = i; }
            public byte[] getData() { return data; } public void setData(byte[] d) { data = d; }
        }
    """,
    "Json": """
        package example;
        import java.util.*;
        public class Json {
            public Object any(Object event) { return event; }
            public Order bean(Order event) { return event; }
            public Order.Item[] records(List<Order.Item> event) { return event.toArray(new Order.Item[0]); }
            public java.math.BigInteger big(java.math.BigInteger event) { return event; }
            public String text(String event) { return event; }
            public Map<String, Object> odd() {
                Map<String, Object> odd = new TreeMap<>();
                odd.put("nan", Double.NaN); odd.put("optional", Optional.of(1)); odd.put("none", null);
                odd.put("array", new int[] {1, 2}); odd.put("control", "a\\u0001\\u2028");
                return odd;
            }
            public String half() { return "a\\ud83d"; }
            public Object instant() { return java.time.Instant.now(); }
            public Object circle() { List<Object> list = new ArrayList<>(); list.add(list); return list; }
        }
    """,
    "Failures": """
        package example;
        import java.util.Map;
        public class Failures {
            static int calls;
            public int handle(Map<String, String> event) {
                calls++;
                switch (event.getOrDefault("how", "")) {
                    case "exception": throw new Refused("no stock", new RuntimeException("the cause"));
                    case "silent": throw new IllegalStateException();
                    case "memory": return new byte[Integer.MAX_VALUE - 8].length;
                    case "stack": return handle(event);
                    case "exit": System.exit(3);
                    default: return calls;
                }
            }
            static class Refused extends RuntimeException {
                Refused(String message, Throwable cause) { super(message, cause); }
            }
            public static class BadConstructor {
                public BadConstructor() { throw new IllegalArgumentException("no shop"); }
                public void handle() {}
            }
            public static class BadStatic {
                static final int NUMBER = Integer.parseInt("x");
                public void handle() {}
            }
            public static class Slow {
                static { System.out.println("static code"); }
                public Slow() { System.out.println("constructor"); }
                public void handle() { System.out.println("handler"); }
            }
            public static class NeedsArgument { public NeedsArgument(int x) {} public void handle() {} }
            public class Inner { public void handle() {} }
        }
    """,
    "Machine": """
        package example;
        import com.amazonaws.services.lambda.runtime.*;
        import com.amazonaws.services.lambda.runtime.logging.LogLevel;
        import java.lang.management.ManagementFactory;
        import java.util.*;
        public class Machine {
            public Map<String, Object> context(Object event, Context context) {
                Map<String, Object> all = new HashMap<>();
                all.put("requestId", context.getAwsRequestId());
                all.put("function", context.getFunctionName());
                all.put("version", context.getFunctionVersion());
                all.put("arn", context.getInvokedFunctionArn());
                all.put("memory", context.getMemoryLimitInMB());
                all.put("group", context.getLogGroupName());
                all.put("stream", context.getLogStreamName());
                all.put("remaining", context.getRemainingTimeInMillis());
                all.put("client", context.getClientContext().getClient().getAppTitle());
                all.put("custom", context.getClientContext().getCustom());
                all.put("identity", context.getIdentity());
                all.put("trace", System.getProperty("com.amazonaws.xray.traceHeader"));
                return all;
            }
            public void log(Object event, Context context) {
                System.out.println("zwei Läden\\nin two lines");
                System.err.print("on standard error\\n");
                context.getLogger().log("one event\\nof two lines");
                LambdaRuntime.getLogger().log("with level", LogLevel.WARN);
                context.getLogger().log("too low", LogLevel.DEBUG);
            }
            public Map<String, Object> machine() {
                Map<String, Object> all = new HashMap<>();
                all.put("variables", System.getenv());
                all.put("flags", ManagementFactory.getRuntimeMXBean().getInputArguments());
                all.put("heap_mb", Runtime.getRuntime().maxMemory() / 1024 / 1024);
                all.put("directory", System.getProperty("user.dir"));
                all.put("locale", Locale.getDefault().toString());
                all.put("release", Runtime.version().feature());
                all.put("encoding", java.nio.charset.Charset.defaultCharset().name());
                List<String> collectors = new ArrayList<>();
                for (var collector : ManagementFactory.getGarbageCollectorMXBeans()) {
                    collectors.add(collector.getName());
                }
                all.put("collectors", collectors);
                return all;
            }
        }
    """,
    "SQSEvent": """
        package com.amazonaws.services.lambda.runtime.events;
        public class SQSEvent { public int count(SQSEvent event) { return 1; } }
    """,
}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,3}Z"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """One deployment package with all classes of this module."""
    return zipped(compiled(SOURCES, tmp_path_factory.mktemp("java") / "functions"))


@pytest.fixture
def deploy_java(deploy: Any, package: bytes) -> Callable[..., DeployedFunction]:
    """`deploy_java("Json::any")`: a function of that handler in package example; java17."""

    def create(handler: str, **parameters: Any) -> DeployedFunction:
        full_name = handler if "." in handler or not handler[:1].isupper() else f"example.{handler}"
        defaults = {"Runtime": "java17", "Code": {"ZipFile": package}, "Handler": full_name}
        function: DeployedFunction = deploy(**{**defaults, **parameters})
        return function

    return create


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


# The log


def own_lines(make_client: Any, function: DeployedFunction) -> list[str]:
    """The function's log events without those of the platform."""
    events = make_client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function.name}")["events"]
    platform = ("INIT_", "START ", "END ", "REPORT ", '{"time"')
    return [event["message"] for event in events if not event["message"].startswith(platform)]


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


# Failures


def test_an_exception_fails_the_invocation_and_keeps_the_environment(deploy_java: Any) -> None:
    """Lambda developer guide, "Understanding retry behavior in Lambda": function errors."""
    function = deploy_java("Failures::handle")
    failed = function.invoke({"how": "exception"})
    assert failed.function_error == "Unhandled"
    assert failed.payload["errorType"] == "example.Failures$Refused"
    assert failed.payload["errorMessage"] == "no stock"
    assert failed.payload["stackTrace"][0] == "example.Failures.handle(Failures.java:9)"
    assert "workshop" not in json.dumps(failed.payload)
    assert "no stock: example.Failures$Refused\n" in failed.log
    assert "Caused by: java.lang.RuntimeException: the cause" in failed.log
    assert function.invoke({"how": "silent"}).payload["errorMessage"] == "java.lang.IllegalStateException"
    assert function.invoke().payload == 3


@pytest.mark.parametrize(
    ("how", "error_type"),
    [("memory", "java.lang.OutOfMemoryError"), ("stack", "java.lang.StackOverflowError")],
)
def test_an_error_of_the_virtual_machine_ends_the_environment(
    deploy_java: Any, how: str, error_type: str
) -> None:
    """The behaviour of AWS's runtime interface client for Java, for every VirtualMachineError."""
    function = deploy_java("Failures::handle", MemorySize=512)
    assert function.invoke({"how": how}).payload["errorType"] == error_type
    assert function.invoke().payload == 1


def test_the_end_of_the_process_is_reported_by_lambda(deploy_java: Any) -> None:
    """Lambda developer guide, "Troubleshoot invocation issues in Lambda": Runtime.ExitError."""
    answer = deploy_java("Failures::handle").invoke({"how": "exit"})
    message = f"RequestId: {answer.request_id} Error: Runtime exited with error: exit status 3"
    assert answer.payload == {"errorType": "Runtime.ExitError", "errorMessage": message}


NOT_FOUND = "java.lang.ClassNotFoundException"
UNUSABLE = [
    ("none.Absent::handle", {"errorMessage": "Class not found: none.Absent", "errorType": NOT_FOUND}),
    (
        "Order::handle",
        {
            "errorMessage": "No public method named handle with appropriate method signature found on class "
            "example.Order"
        },
    ),
    ("Json", {"errorMessage": "Class does not implement an appropriate handler interface: example.Json"}),
    ("::handle", {"errorMessage": "Invalid handler: `::handle'"}),
    (
        "Failures$NeedsArgument::handle",
        {
            "errorMessage": "Class example.Failures$NeedsArgument has no public zero-argument constructor",
            "errorType": "java.lang.Exception",
        },
    ),
    (
        "Failures$Inner::handle",
        {
            "errorMessage": "Class example.Failures$Inner cannot be instantiated because it is a non-static "
            "inner class",
            "errorType": "java.lang.Exception",
        },
    ),
    (
        "Failures$BadConstructor::handle",
        {"errorMessage": "no shop", "errorType": "java.lang.IllegalArgumentException"},
    ),
    (
        "Failures$BadStatic::handle",
        {
            "errorMessage": "Error loading class example.Failures$BadStatic",
            "errorType": "java.lang.ExceptionInInitializerError",
        },
    ),
]


def test_a_handler_that_cannot_be_used_is_named(deploy_java: Any, make_client: Any) -> None:
    """Lambda developer guide, "Troubleshoot deployment issues in Lambda"; texts of AWS's Java runtime."""

    def run(case: Any) -> Any:
        handler, _ = case
        function = deploy_java(handler)
        answer = function.invoke()
        assert answer.function_error == "Unhandled"
        events = make_client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function.name}")["events"]
        has_failed_init = any("Phase: init\tStatus: error" in event["message"] for event in events)
        assert has_failed_init is ("Bad" in handler), handler
        return handler, answer.payload

    assert in_parallel(run, UNUSABLE) == UNUSABLE


def test_static_code_and_constructor_belong_to_init(deploy_java: Any, make_client: Any) -> None:
    """Lambda developer guide, "Understanding the Lambda execution environment lifecycle": function INIT."""
    function = deploy_java("Failures$Slow::handle")
    function.invoke()
    function.invoke()
    events = make_client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function.name}")["events"]
    first_words = [event["message"].split(" ")[0].strip() for event in events]
    assert first_words[:4] == ["INIT_START", "static", "constructor", "START"]
    assert [word for word in first_words if word == "static"] == ["static"]
    assert first_words.count("handler") == 2


# The virtual machine


@pytest.mark.usefixtures("view_of_lambda")
def test_the_virtual_machine_is_started_as_on_lambda(deploy_java: Any) -> None:
    """Lambda developer guide, "Customize Java runtime startup behavior for Lambda functions"."""
    own = {"Variables": {"WORD": "Läden"}}
    machine = deploy_java("Machine::machine", MemorySize=512, Environment=own).invoke().payload
    assert machine["variables"]["WORD"] == "Läden"
    assert {"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:MaxHeapSize=445645k"} <= set(machine["flags"])
    assert machine["encoding"] == "UTF-8"
    assert machine["directory"] == "/var/task"
    assert machine["locale"] == "en_US"
    assert machine["variables"]["AWS_EXECUTION_ENV"] == "AWS_Lambda_java17"
    assert machine["variables"]["_HANDLER"] == "example.Machine::machine"
    assert not {"HOME", "JAVA_HOME", "PWD", "CLASSPATH"} & set(machine["variables"])


def test_java_tool_options_come_before_the_usual_ones(deploy_java: Any, make_client: Any) -> None:
    """Lambda developer guide, "Customize Java runtime startup behavior": compilation and collector."""
    options = "-XX:+UseParallelGC -XX:TieredStopAtLevel=4 -Xmx100m"
    variables = {"Variables": {"JAVA_TOOL_OPTIONS": options}}
    function = deploy_java("Machine::machine", Environment=variables)
    machine = function.invoke().payload
    assert any(name.startswith("PS ") for name in machine["collectors"])
    assert "-XX:TieredStopAtLevel=1" not in machine["flags"]
    assert machine["heap_mb"] <= 100
    assert own_lines(make_client, function) == [f"Picked up JAVA_TOOL_OPTIONS: {options}"]


@pytest.mark.usefixtures("view_of_lambda")
def test_the_runtime_comes_out_of_a_class_data_archive(deploy_java: Any, make_client: Any) -> None:
    """Lambda developer guide, "Customize Java runtime startup behavior": AOT and CDS caches."""
    variables = {"Variables": {"JAVA_TOOL_OPTIONS": "-Xlog:class+load:stdout"}}
    function = deploy_java("Handlers::ofNothing", Environment=variables)
    function.invoke()
    lines = own_lines(make_client, function)
    (loaded,) = [line for line in lines if "workshop.Main source:" in line]
    assert loaded.endswith("source: shared objects file (top)")
    (own,) = [line for line in lines if "example.Handlers source:" in line]
    assert own.endswith("source: file:/var/task/")


def test_the_smallest_function_starts(deploy_java: Any) -> None:
    """Lambda developer guide, "Configure Lambda function memory": 128 MB is the least."""
    answer = deploy_java("Handlers::ofNothing", MemorySize=128).invoke()
    assert answer.payload == "nothing"
    assert answer.figure("Max Memory Used") <= 128


@pytest.mark.usefixtures("view_of_lambda")
def test_a_wrapper_script_starts_the_runtime(deploy: Any, package: bytes, tmp_path: Any) -> None:
    """Lambda developer guide, "Modifying the runtime environment": wrapper scripts."""
    wrapper = '#!/bin/sh\nexport _JAVA_OPTIONS=-Dwrapped=yes\nexec "$@"\n'
    source = 'public class Wrapped { public String handle() { return System.getProperty("wrapped"); } }'
    files = {**compiled({"Wrapped": source}, tmp_path / "wrapped"), "bin/bootstrap": wrapper}
    variables = {"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/bin/bootstrap"}}
    function = deploy(
        Runtime="java17", Handler="Wrapped::handle", Code={"ZipFile": zipped(files)}, Environment=variables
    )
    assert function.invoke().payload == "yes"


def test_a_newer_runtime_has_a_newer_jdk(deploy_java: Any, make_client: Any) -> None:
    """Lambda developer guide, "Lambda runtimes"; INIT_START names what really runs."""
    skip_without(21)
    own = {"Variables": {"WORD": "Läden"}}
    function = deploy_java("Machine::machine", Runtime="java21", Environment=own)
    machine = function.invoke().payload
    assert machine["variables"]["WORD"] == "Läden"
    assert machine["release"] >= 21
    assert machine["variables"]["AWS_EXECUTION_ENV"] == "AWS_Lambda_java21"
    events = make_client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function.name}")["events"]
    assert f"Runtime Version: java:{machine['release']}." in events[0]["message"]
    assert own_lines(make_client, function) == [], "the virtual machine warns of no option"


def test_a_warm_invocation_is_cheap(deploy_java: Any) -> None:
    """The loop adds little to a handler that does nothing, on a whole vCPU."""
    function = deploy_java("Handlers::ofNothing")
    durations_ms = sorted(function.invoke().figure("Duration") for _ in range(40))
    assert durations_ms[10] < 5
