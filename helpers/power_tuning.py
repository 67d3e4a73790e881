"""How long a function takes and what it costs at each memory size, measured side by side.

The question is the one of alexcasalboni/aws-lambda-power-tuning 4.4, and so are the meaning and the defaults
of inputs that have its names. Here every round invokes all sizes in turn, in random order, so that drift of
the machine or of AWS hits all sizes alike.
"""

import dataclasses
import random
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from helpers import pricing
from helpers.calibration import Calibration
from helpers.function_configuration import publish, update
from helpers.tuning import payloads
from helpers.tuning.best import Strategy
from helpers.tuning.billing import Billing
from helpers.tuning.failure import counted
from helpers.tuning.input import POWER_VALUES, TuningInput
from helpers.tuning.invocations import Invoker
from helpers.tuning.rounds import Rounds, alias_of
from helpers.tuning.versions import temporary_sizes
from helpers.tuning_result import Optimization, TuningResult


class NotOptimized(RuntimeError):
    """The run has a winner, and AWS refused to set it. `result` is what was measured."""

    def __init__(self, message: str, result: TuningResult) -> None:
        super().__init__(message)
        self.result = result


def run(
    lambda_client: Any,
    function_name: str,
    power_values: Sequence[int] | str = POWER_VALUES,
    num: int = 50,
    payload: Any = None,
    *,
    payload_s3: str | None = None,
    s3_client: Any = None,
    parallel_invocation: bool = False,
    strategy: Strategy = "cost",
    balanced_weight: float = 0.5,
    auto_optimize: bool = False,
    auto_optimize_alias: str | None = None,
    dry_run: bool = False,
    pre_processor_arn: str | None = None,
    post_processor_arn: str | None = None,
    processor_client: Any = None,
    discard_top_bottom: float | None = None,
    sleep_between_runs_ms: float = 0,
    disable_payload_logs: bool = False,
    include_output_results: bool = False,
    only_cold_starts: bool = False,
    allowed_exceptions: Sequence[str] = (),
    adaptive: bool = False,
    tolerance: float = 0.05,
    billing: Billing | None = None,
    calibrate: bool = True,
    seed: int = 1,
) -> TuningResult:
    """Invoke a function `num` times at each memory size and compare.

    For the run each size becomes a version with an alias `RAM<value>`. Both are removed and the function's
    memory and description are put back at the end, also after an error or an interrupt; what a run that was
    killed has left is removed by the next one on the same function. A size that fails, times out or is
    refused is reported and left out of the rest. Throttled invocations are repeated with back-off.

    What is compared:
        power_values: memory sizes in MB, or "ALL": 128 to 3,008 in steps of 64.
        num: the invocations of each size, at least 5.
        only_cold_starts: each invocation has a version of its own, and so is a cold start.
        discard_top_bottom: the share of samples dropped at each end before the mean is taken, 0 to 0.4;
            0.2, or 0 with only_cold_starts.
        strategy, balanced_weight: which size wins: see `TuningResult.best`.
        billing: another rule for the price of a duration than today's in us-east-1.

    What a function is invoked with:
        payload: any JSON value, a text (JSON or plain), or `[{"payload": ..., "weight": ...}, ...]`, which
            shares out the rounds by weight and mixes them in random order (see payloads.of_rounds).
        payload_s3: "s3://BUCKET/KEY" instead, read once by `s3_client`.
        pre_processor_arn: invoked before each invocation with the payload; what it returns takes the
            payload's place, unless it is null or an empty text.
        post_processor_arn: invoked after each invocation with what the function returned, also its error. A
            processor that fails ends the run. Neither counts in times or costs. `processor_client` is a
            Lambda client of their Region, where that is not the function's.
        allowed_exceptions: error types that count as success. They are listed in `TuningResult.allowed`.

    How it is run:
        calibrate, seed: before every round a loop of fixed work shows the noise of this machine, which says
            nothing about AWS: leave it out there. `seed` draws all orders.
        parallel_invocation: all invocations of a size at once. The sizes then come one after the other, in
            random order, so that drift no longer hits all alike, and most invocations are cold starts.
        sleep_between_runs_ms: a pause after each invocation (and its post-processor).
        adaptive, tolerance: rounds go on, `num` at most, only for sizes that can still win at 95 %. They end
            when one is left, sizes within `tolerance` of each other being equal (see tuning/elimination.py),
            or when more of them would probably not help.
        dry_run: one invocation of the first size, to try payload, processors and permissions. Nothing is
            compared and nothing is optimised.
        disable_payload_logs: payloads are not shown in failures.
        include_output_results: `TuningResult.output()` lists every size.
        auto_optimize: the function gets the winner's memory, if there is a winner. auto_optimize_alias: it is
            then published, and the alias, made if need be, points to that version.

    Raises ValueError for inputs out of range or against each other, PayloadUnreadable, AliasTaken when the
    function has an alias `RAM<value>` of its own, BeingTuned while another run on this machine is at work on
    it (one on another machine cannot be seen and would be taken for a killed one), ProcessorFailed,
    NotOptimized, and ClientError when the function does not exist or may not be changed.
    """
    tuning_input = TuningInput(
        power_values=power_values,
        num=num,
        payload=payload,
        payload_s3=payload_s3,
        parallel_invocation=parallel_invocation,
        strategy=strategy,
        balanced_weight=balanced_weight,
        auto_optimize=auto_optimize,
        auto_optimize_alias=auto_optimize_alias,
        dry_run=dry_run,
        pre_processor_arn=pre_processor_arn,
        post_processor_arn=post_processor_arn,
        discard_top_bottom=discard_top_bottom,
        sleep_between_runs_ms=sleep_between_runs_ms,
        disable_payload_logs=disable_payload_logs,
        include_output_results=include_output_results,
        only_cold_starts=only_cold_starts,
        allowed_exceptions=allowed_exceptions,
        adaptive=adaptive,
        tolerance=tolerance,
    )
    order = random.Random(seed)
    events = _events(tuning_input, s3_client, order)
    configuration = lambda_client.get_function_configuration(FunctionName=function_name)
    if configuration.get("Version", "$LATEST") != "$LATEST":
        raise ValueError(
            f"{function_name} is a version, whose memory cannot change: name the function itself."
        )
    architecture: pricing.Architecture = configuration.get("Architectures", ["x86_64"])[0]
    invoker = Invoker(
        lambda_client,
        processor_client or lambda_client,
        configuration["FunctionName"],
        tuning_input,
        billing or Billing.today(architecture),
    )
    with temporary_sizes(lambda_client, configuration, _aliases(tuning_input)) as sizes:
        rounds = Rounds(tuning_input, sizes, invoker, events, order, calibrate)
        rounds.run(f"Tuning {configuration['FunctionName']}")
    result = _result(tuning_input, configuration["FunctionName"], architecture, billing, rounds)
    return _optimized(lambda_client, tuning_input, result)


def _events(tuning_input: TuningInput, s3_client: Any, order: random.Random) -> list[Any]:
    """The event of each round; a dry run has only one."""
    payload = tuning_input.payload
    if tuning_input.payload_s3 is not None:
        if s3_client is None:
            raise ValueError('payload_s3 takes a client that reads it: add s3_client=ws.client("s3").')
        payload = payloads.fetch(s3_client, tuning_input.payload_s3)
    events = payloads.of_rounds(payload, tuning_input.num, order)
    return events[:1] if tuning_input.dry_run else events


def _aliases(tuning_input: TuningInput) -> list[str]:
    """Every alias that the run may make."""
    rounds = range(1, tuning_input.num + 1) if tuning_input.only_cold_starts else (None,)
    return [alias_of(memory_mb, number) for memory_mb in tuning_input.sizes_mb for number in rounds]


def _result(
    tuning_input: TuningInput,
    function_name: str,
    architecture: pricing.Architecture,
    billing: Billing | None,
    rounds: Rounds,
) -> TuningResult:
    invocations = rounds.invocations()
    failed = invocations["memory_mb"].isin([failure.memory_mb for failure in rounds.failures])
    return TuningResult(
        function_name,
        architecture,
        tuning_input.discarded_share,
        invocations[~failed],
        counted(rounds.failures),
        Calibration(tuple(rounds.loop_ms)) if rounds.loop_ms else None,
        strategy=tuning_input.strategy,
        balanced_weight=tuning_input.balanced_weight,
        billing=billing,
        allowed=counted(rounds.allowed),
        eliminated=tuple(rounds.eliminated),
        stop_reason=rounds.stop_reason,
        adaptive=tuning_input.adaptive,
        left_out=invocations[failed],
        include_output_results=tuning_input.include_output_results,
        dry_run=tuning_input.dry_run,
    )


def _optimized(lambda_client: Any, tuning_input: TuningInput, result: TuningResult) -> TuningResult:
    if not tuning_input.auto_optimize or tuning_input.dry_run:
        return result
    best = result.answer
    if best is None:
        return dataclasses.replace(result, optimization=Optimization(None))
    try:
        update(lambda_client, result.function_name, MemorySize=best.memory_mb)
        version = None
        if tuning_input.auto_optimize_alias is not None:
            version = publish(lambda_client, result.function_name)
            _point(lambda_client, result.function_name, tuning_input.auto_optimize_alias, version)
    except (ClientError, WaiterError) as error:
        raise NotOptimized(
            f"{result.function_name} could not be set to {best.memory_mb:,} MB: {error}. What was measured "
            "is in the attribute `result` of this error.",
            result,
        ) from error
    optimization = Optimization(best.memory_mb, tuning_input.auto_optimize_alias, version)
    return dataclasses.replace(result, optimization=optimization)


def _point(lambda_client: Any, function_name: str, name: str, version: str) -> None:
    """Let an alias point to a version, and make it when there is none of that name."""
    target = {"FunctionName": function_name, "Name": name, "FunctionVersion": version}
    try:
        lambda_client.update_alias(**target)
    except lambda_client.exceptions.ResourceNotFoundException:
        lambda_client.create_alias(**target)
