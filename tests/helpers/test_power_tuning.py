"""Power tuning through boto3 against functions on the local AWS: what a run does with its inputs."""

import base64
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import tuned_functions
from tuned_functions import MEMORY_MB, aliases, arn_of, assert_as_before, events_seen, on_call, versions

from helpers import power_tuning, pricing
from helpers.tuning.billing import Billing
from helpers.tuning_result import INVOCATION_COLUMNS, Optimization
from helpers.workshop import Workshop

lambda_client = tuned_functions.lambda_client
logs = tuned_functions.logs
function_name = tuned_functions.function_name


def test_every_round_invokes_every_size_in_an_order_of_its_own(
    lambda_client: Any, function_name: str
) -> None:
    """AWS Lambda Developer Guide, "Configure Lambda function memory": CPU in proportion to memory."""
    tuning = power_tuning.run(lambda_client, function_name, (128, 512), num=8, payload={"cpu_s": 0.03})

    rounds = tuning.invocations.groupby("round")["memory_mb"].apply(list)
    assert all(sorted(sizes) == [128, 512] for sizes in rounds)
    assert len({tuple(sizes) for sizes in rounds}) == 2, "the order must change from round to round"
    assert tuning.table["n"].tolist() == [8, 8]
    assert tuning.table["cold_starts"].tolist() == [1, 1]
    # The law says 4; the machine may be busy.
    assert 2.5 < tuning.ratio("duration_ms", 128, 512).value < 6
    assert tuning.best("speed").memory_mb == 512
    assert tuning.calibration is not None and len(tuning.calibration.loop_ms) == 8
    assert "Calibration loop" in tuning.describe()
    assert_as_before(lambda_client, function_name)


def test_the_invocations_tell_the_cpu_time_that_the_local_aws_has_measured(
    lambda_client: Any, function_name: str
) -> None:
    tuning = power_tuning.run(lambda_client, function_name, (1769,), num=5, payload={"cpu_s": 0.05})
    assert list(tuning.invocations.columns) == list(INVOCATION_COLUMNS)
    # The limiter may count CPU time in ticks of 10 ms.
    assert (tuning.invocations["cpu_ms"] >= 40).all()


def test_each_size_is_a_version_with_an_alias_while_the_run_lasts(
    make_client: Callable[..., Any], lambda_client: Any, function_name: str
) -> None:
    """aws-lambda-power-tuning: the Initializer makes aliases RAM<value>, the Executor invokes them."""
    seen: dict[str, str] = {}
    memory: dict[str, int] = {}

    def look() -> None:
        seen.update(aliases(lambda_client, function_name))
        for name in ("RAM128", "RAM256"):
            version = lambda_client.get_function_configuration(FunctionName=function_name, Qualifier=name)
            memory[name] = version["MemorySize"]

    observed = make_client("lambda")
    on_call(observed, "Invoke", look)
    qualifiers: list[str] = []
    observed.meta.events.register(
        "before-call.lambda.Invoke",
        lambda params, **_: qualifiers.append(params["query_string"]["Qualifier"]),
    )
    power_tuning.run(observed, function_name, (128, 256), num=5, calibrate=False)

    assert {"RAM128", "RAM256"} < seen.keys()
    assert memory == {"RAM128": 128, "RAM256": 256}
    assert Counter(qualifiers) == {"RAM128": 5, "RAM256": 5}
    assert_as_before(lambda_client, function_name)


def test_runs_can_be_spaced_out(make_client: Callable[..., Any], function_name: str) -> None:
    started: list[float] = []
    observed = make_client("lambda")
    observed.meta.events.register("before-call.lambda.Invoke", lambda **_: started.append(time.monotonic()))
    power_tuning.run(observed, function_name, (1024,), num=5, sleep_between_runs_ms=150, calibrate=False)
    assert len(started) == 5
    assert all(later - earlier >= 0.15 for earlier, later in itertools.pairwise(started))


def test_parallel_invocations_of_a_size_run_all_at_once(lambda_client: Any, function_name: str) -> None:
    tuning = power_tuning.run(
        lambda_client, function_name, (512, 1024), num=5, payload={"wait_s": 1}, parallel_invocation=True
    )
    # Nobody could reuse an environment, so every one is new.
    assert tuning.table["cold_starts"].tolist() == [5, 5]
    assert sorted(tuning.invocations["round"].unique()) == [1, 2, 3, 4, 5]
    assert_as_before(lambda_client, function_name)


@pytest.mark.parametrize("parallel_invocation", [False, True])
def test_only_cold_starts_are_cold_each_and_none_is_dropped(
    lambda_client: Any, function_name: str, parallel_invocation: bool
) -> None:
    tuning = power_tuning.run(
        lambda_client,
        function_name,
        (512,),
        num=5,
        only_cold_starts=True,
        parallel_invocation=parallel_invocation,
        calibrate=False,
    )
    assert tuning.failures == ()
    assert tuning.table.loc[512, "n"] == tuning.table.loc[512, "cold_starts"] == 5
    assert tuning.discard_top_bottom == 0
    assert tuning.table.loc[512, "mean_ms"] == pytest.approx(tuning.invocations["duration_ms"].mean())
    assert (tuning.invocations["duration_ms"] > tuning.invocations["init_duration_ms"]).all()
    assert_as_before(lambda_client, function_name)


def test_a_restored_snapshot_is_a_cold_start(make_client: Callable[..., Any], function_name: str) -> None:
    """Developer guide, "Monitoring for Lambda SnapStart": Restore Duration instead of Init Duration."""

    def restored(parsed: dict[str, Any], **_: Any) -> None:
        log_tail = base64.b64decode(parsed["LogResult"])
        parsed["LogResult"] = base64.b64encode(log_tail.replace(b"Init Duration", b"Restore Duration"))

    client = make_client("lambda")
    client.meta.events.register("after-call.lambda.Invoke", restored)
    tuning = power_tuning.run(client, function_name, (512,), num=5, only_cold_starts=True, calibrate=False)
    assert tuning.failures == ()
    assert tuning.table.loc[512, "cold_starts"] == 5
    assert (tuning.invocations["duration_ms"] > tuning.invocations["init_duration_ms"]).all()


def test_a_dry_run_invokes_once_and_sets_nothing(lambda_client: Any, logs: Any, function_name: str) -> None:
    tuning = power_tuning.run(
        lambda_client, function_name, (256, 512), payload={"dry": True}, dry_run=True, auto_optimize=True
    )
    assert list(tuning.invocations["memory_mb"]) == [256]
    assert tuning.describe().startswith("Dry run: 256 MB answered in ")
    assert tuning.optimization is None
    with pytest.raises(ValueError, match="compares nothing"):
        tuning.best()
    assert events_seen(logs, function_name, minimum=1) == [{"dry": True}]
    assert_as_before(lambda_client, function_name)


def test_auto_optimize_sets_the_winner_and_lets_the_alias_point_to_it(
    lambda_client: Any, function_name: str
) -> None:
    def tune(payload: dict[str, Any], strategy: Any) -> Optimization | None:
        return power_tuning.run(
            lambda_client,
            function_name,
            (128, 1024),
            num=6,
            payload=payload,
            strategy=strategy,
            auto_optimize=True,
            auto_optimize_alias="prod",
            calibrate=False,
        ).optimization

    # Waiting costs eight times as much with eight times the memory.
    optimization = tune({"wait_s": 0.05}, "cost")
    assert optimization is not None
    (version,) = versions(lambda_client, function_name)
    assert optimization == Optimization(128, "prod", version)
    assert aliases(lambda_client, function_name) == {"prod": version}
    for qualifier in ("$LATEST", version):
        configuration = lambda_client.get_function_configuration(
            FunctionName=function_name, Qualifier=qualifier
        )
        assert configuration["MemorySize"] == 128
        assert configuration["Description"] == tuned_functions.DESCRIPTION

    assert tune({"refuse_below_mb": 500}, "speed") == Optimization(1024, "prod", str(int(version) + 3))
    assert aliases(lambda_client, function_name) == {"prod": str(int(version) + 3)}


def test_a_notebook_tunes_with_the_clients_of_its_workshop(workshop: Workshop, lambda_role: str) -> None:
    """Nothing is refused that the ledger could not undo, and cleaning up finds nothing but the function."""
    lambda_client = workshop.client("lambda")
    name = tuned_functions.create(lambda_client, lambda_role, name=workshop.name("tuned"))
    tuning = power_tuning.run(
        lambda_client,
        name,
        (128, 512),
        num=5,
        payload={"refuse_below_mb": 500},
        auto_optimize=True,
        auto_optimize_alias="prod",
        calibrate=False,
    )
    assert tuning.optimization is not None and tuning.optimization.memory_mb == 512
    left = workshop.cleanup()
    assert (left["left"] == 0).all()


def test_without_a_winner_the_function_keeps_its_memory(lambda_client: Any, function_name: str) -> None:
    """Five rounds are too few to tell anything apart."""
    tuning = power_tuning.run(lambda_client, function_name, (512, 1024), num=5, auto_optimize=True)
    assert tuning.optimization == Optimization(None)
    assert "keeps its memory, because this run has no winner" in tuning.describe()
    assert_as_before(lambda_client, function_name)


def test_a_winner_that_cannot_be_set_does_not_lose_the_measurement(
    make_client: Callable[..., Any], lambda_client: Any, function_name: str
) -> None:
    def refuse() -> None:
        lambda_client.delete_function(FunctionName=function_name)

    deleting = make_client("lambda")
    # Twice for the two sizes, a third time to put the memory back, and then for the winner.
    on_call(deleting, "UpdateFunctionConfiguration", refuse, times=4)
    with pytest.raises(power_tuning.NotOptimized, match="could not be set to 128 MB") as caught:
        power_tuning.run(
            deleting, function_name, (128, 1024), num=6, payload={"wait_s": 0.05}, auto_optimize=True
        )
    assert caught.value.result.best("cost").memory_mb == 128


def test_the_output_has_the_form_of_the_reference(lambda_client: Any, function_name: str) -> None:
    tuning = power_tuning.run(
        lambda_client, function_name, (512, 1024), num=5, include_output_results=True, strategy="speed"
    )
    output = tuning.output()
    best = tuning.best("speed")
    assert output["power"] == best.memory_mb
    assert output["duration"] == tuning.table.loc[best.memory_mb, "mean_ms"]
    assert output["stateMachine"]["lambdaCost"] == pytest.approx(tuning.invocations["cost_usd"].sum())
    assert output["stateMachine"]["visualization"].startswith("https://lambda-power-tuning.show/#")
    assert [entry["value"] for entry in output["stats"]] == [512, 1024]
    assert set(output["stats"][0]) == {"averagePrice", "averageDuration", "value"}
    assert json.loads(json.dumps(output)) == output


def test_another_billing_rule_prices_the_same_durations(lambda_client: Any, function_name: str) -> None:
    billing = Billing(step_ms=100, step_usd=2.08e-7)
    tuning = power_tuning.run(
        lambda_client, function_name, (256,), num=5, payload={"wait_s": 0.01}, billing=billing
    )
    billed_ms = tuning.table.loc[256, "billed_ms"]
    assert tuning.table.loc[256, "cost_usd"] == billing.usd(billed_ms, 256)
    assert tuning.table.loc[256, "cost_usd"] > pricing.invocation_usd(billed_ms, 256)


def test_a_version_cannot_be_tuned(lambda_client: Any, function_name: str) -> None:
    version = lambda_client.publish_version(FunctionName=function_name)["Version"]
    with pytest.raises(ValueError, match="is a version"):
        power_tuning.run(lambda_client, f"{arn_of(lambda_client, function_name)}:{version}")
    assert lambda_client.get_function_configuration(FunctionName=function_name)["MemorySize"] == MEMORY_MB
