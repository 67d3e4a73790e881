"""Whatever happens to a run, its versions and aliases go and the function gets its memory back."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
import tuned_functions
from tuned_functions import MEMORY_MB, aliases, assert_as_before, on_call, versions

from helpers import power_tuning
from helpers.tuning.lock import BeingTuned
from helpers.tuning.versions import AliasTaken

# The steps of a run, and the call of each that is interrupted: the alias of the note is made first.
STEPS = {
    "noting what to put back": ("CreateAlias", 1),
    "changing the memory": ("UpdateFunctionConfiguration", 2),
    "publishing": ("PublishVersion", 2),
    "naming a size": ("CreateAlias", 3),
    "invoking": ("Invoke", 3),
    "removing an alias": ("DeleteAlias", 1),
    "removing a version": ("DeleteFunction", 1),
    "forgetting the note": ("DeleteAlias", 3),
}

lambda_client = tuned_functions.lambda_client
function_name = tuned_functions.function_name


def interrupt() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", list(STEPS))
def test_an_interrupt_leaves_nothing_behind(
    make_client: Callable[..., Any], lambda_client: Any, function_name: str, step: str, moment: str
) -> None:
    operation, times = STEPS[step]
    interrupted = make_client("lambda")
    on_call(interrupted, operation, interrupt, moment, times)
    with pytest.raises(KeyboardInterrupt):
        power_tuning.run(interrupted, function_name, (128, 256), num=5, calibrate=False)
    assert_as_before(lambda_client, function_name)


def test_a_second_interrupt_that_hits_the_clean_up_leaves_nothing_behind_either(
    make_client: Callable[..., Any], lambda_client: Any, function_name: str
) -> None:
    interrupted = make_client("lambda")
    for step in ("invoking", "removing a version"):
        operation, times = STEPS[step]
        on_call(interrupted, operation, interrupt, times=times)
    with pytest.raises(KeyboardInterrupt):
        power_tuning.run(interrupted, function_name, (128, 256), num=5, calibrate=False)
    assert_as_before(lambda_client, function_name)


def kill(step: str, moment: str, make_client: Callable[..., Any], function_name: str) -> None:
    """Tune in another process, which dies at that step as if somebody pulled the plug."""

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def tune() -> None:
        operation, times = STEPS[step]
        client = make_client("lambda")
        on_call(client, operation, die, moment, times)
        power_tuning.run(client, function_name, (128, 256), num=5, calibrate=False)

    process = multiprocessing.get_context("fork").Process(target=tune)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


@pytest.mark.parametrize("step", list(STEPS))
def test_the_next_run_removes_what_a_killed_one_has_left(
    make_client: Callable[..., Any], lambda_client: Any, function_name: str, step: str
) -> None:
    kill(step, "after", make_client, function_name)
    if step != "forgetting the note":
        assert aliases(lambda_client, function_name), "the killed run has left nothing, so this shows nothing"

    tuning = power_tuning.run(lambda_client, function_name, (512,), num=5, calibrate=False)

    assert tuning.table.loc[512, "n"] == 5
    assert_as_before(lambda_client, function_name)


def test_what_the_user_has_changed_since_a_kill_is_kept(
    make_client: Callable[..., Any], lambda_client: Any, function_name: str
) -> None:
    kill("invoking", "before", make_client, function_name)
    left = lambda_client.get_function_configuration(FunctionName=function_name)
    assert left["MemorySize"] == 256 and left["Description"].startswith("power-tuning-")
    lambda_client.update_function_configuration(
        FunctionName=function_name, MemorySize=1024, Description="mine"
    )
    power_tuning.run(lambda_client, function_name, (512,), num=5, calibrate=False)
    configuration = lambda_client.get_function_configuration(FunctionName=function_name)
    assert (configuration["MemorySize"], configuration["Description"]) == (1024, "mine")
    assert versions(lambda_client, function_name) == []
    assert aliases(lambda_client, function_name) == {}


def test_what_the_user_has_published_stays(lambda_client: Any, function_name: str) -> None:
    version = lambda_client.publish_version(FunctionName=function_name)["Version"]
    for name in ("prod", "RAM4096"):
        lambda_client.create_alias(FunctionName=function_name, Name=name, FunctionVersion=version)
    power_tuning.run(lambda_client, function_name, (512,), num=5, calibrate=False)
    assert versions(lambda_client, function_name) == [version]
    assert aliases(lambda_client, function_name) == {"prod": version, "RAM4096": version}


@pytest.mark.parametrize(("alias", "only_cold_starts"), [("RAM256", False), ("RAM256-4", True)])
def test_an_alias_of_the_user_is_not_taken_over(
    lambda_client: Any, function_name: str, alias: str, only_cold_starts: bool
) -> None:
    version = lambda_client.publish_version(FunctionName=function_name)["Version"]
    lambda_client.create_alias(FunctionName=function_name, Name=alias, FunctionVersion=version)
    with pytest.raises(AliasTaken, match=f"has an alias {alias} that power tuning has not made"):
        power_tuning.run(lambda_client, function_name, (128, 256), num=5, only_cold_starts=only_cold_starts)
    assert aliases(lambda_client, function_name) == {alias: version}
    assert versions(lambda_client, function_name) == [version]
    assert lambda_client.get_function_configuration(FunctionName=function_name)["MemorySize"] == MEMORY_MB


def test_a_second_run_does_not_disturb_the_first(
    make_client: Callable[..., Any], lambda_client: Any, function_name: str
) -> None:
    refusals: list[BeingTuned] = []

    def tune_too() -> None:
        with pytest.raises(BeingTuned, match="Another run tunes arn:aws:lambda") as caught:
            power_tuning.run(lambda_client, function_name, (512,), num=5)
        refusals.append(caught.value)

    first = make_client("lambda")
    on_call(first, "Invoke", tune_too)
    tuning = power_tuning.run(first, function_name, (128, 256), num=5, calibrate=False)
    assert len(refusals) == 1
    assert tuning.table["n"].to_dict() == {128: 5, 256: 5}
    assert_as_before(lambda_client, function_name)
