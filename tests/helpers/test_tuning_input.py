"""Inputs of power tuning that are refused, before anything is created."""

import math
from typing import Any

import pytest

from helpers import power_tuning
from helpers.tuning.input import ALL_POWER_VALUES

ARN = "arn:aws:lambda:us-east-1:111122223333:function:prepare"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"num": 4}, "at least 5, not 4"),
        ({"num": 7.5}, "at least 5, not 7.5"),
        ({"power_values": (64, 128)}, "128 to 10,240 MB, not 64"),
        ({"power_values": (128, 20_000)}, "128 to 10,240 MB, not 20000"),
        ({"power_values": (128.5,)}, "whole number of 128 to 10,240 MB, not 128.5"),
        ({"power_values": (128, 128)}, r"different memory sizes in MB, not \[128, 128\]"),
        ({"power_values": ()}, r"different memory sizes in MB, not \[\]"),
        ({"power_values": "all"}, "memory sizes in MB or \"ALL\", not 'all'"),
        ({"power_values": 512}, 'memory sizes in MB or "ALL", not 512'),
        ({"strategy": "cheap"}, "one of cost, speed, balanced, not 'cheap'"),
        ({"balanced_weight": 1.5}, r"0 \(only speed counts\) to 1 \(only cost counts\), not 1.5"),
        ({"discard_top_bottom": 0.5}, "0 to 0.4, not 0.5"),
        ({"tolerance": 0}, "between 0 and 1, not 0"),
        ({"sleep_between_runs_ms": -1}, "0 or more, not -1"),
        ({"sleep_between_runs_ms": 10, "parallel_invocation": True}, "no time to sleep"),
        ({"adaptive": True, "parallel_invocation": True}, "leave out one of them"),
        ({"pre_processor_arn": "prepare"}, "pre_processor_arn is the ARN of a Lambda function.*'prepare'"),
        ({"post_processor_arn": f"{ARN}:1:2"}, "post_processor_arn is the ARN of a Lambda function"),
        ({"payload_s3": "bucket/key"}, "s3://BUCKET/KEY, not 'bucket/key'"),
        ({"payload_s3": "s3://bucket/key", "payload": {}}, "two payloads"),
        ({"allowed_exceptions": "Refused"}, r"a list of error types, such as .*, not 'Refused'"),
        ({"allowed_exceptions": None}, r"a list of error types, such as .*, not None"),
        ({"auto_optimize_alias": "prod"}, "add it, or leave out auto_optimize_alias"),
        ({"auto_optimize": True, "auto_optimize_alias": "123"}, "not digits only; '123' is no such name"),
        ({"auto_optimize": True, "auto_optimize_alias": "RAM128"}, "choose another auto_optimize_alias"),
        ({"payload": {1, 2}}, "JSON value or a text.*set is not JSON serializable"),
        ({"payload": {"limit": math.nan}}, "JSON value or a text.*not JSON compliant"),
        ({"payload": [{"payload": 1, "weight": 0}]}, "a number over 0, not 0"),
        ({"payload": [{"payload": n, "weight": 1} for n in range(51)]}, "never be used: increase num"),
    ],
)
def test_inputs_are_refused_before_anything_is_made(inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        power_tuning.run(None, "never reached", **inputs)


def test_all_power_values_are_those_of_the_reference() -> None:
    """aws-lambda-power-tuning: from 128 to 3,008 MB in steps of 64."""
    assert (len(ALL_POWER_VALUES), ALL_POWER_VALUES[0], ALL_POWER_VALUES[-1]) == (46, 128, 3008)
    assert ALL_POWER_VALUES[1] == 192
