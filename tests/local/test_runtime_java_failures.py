"""Java functions that fail: exceptions, ends of the process, and handlers that cannot be used."""

import json
from typing import Any

import pytest
from deployed import in_parallel


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
