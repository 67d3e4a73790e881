"""How the virtual machine of Java functions is started, what is part of INIT, and its cost when warm."""

from typing import Any

import pytest
from deployed import zipped
from java_functions import compiled, own_lines, skip_without


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


def test_the_smallest_function_starts(deploy_java: Any) -> None:
    """Lambda developer guide, "Configure Lambda function memory": 128 MB is the least."""
    answer = deploy_java("Handlers::ofNothing", MemorySize=128).invoke()
    assert answer.payload == "nothing"
    assert answer.figure("Max Memory Used") <= 128


@pytest.mark.usefixtures("view_of_lambda")
def test_a_wrapper_script_starts_the_runtime(deploy: Any, tmp_path: Any) -> None:
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
