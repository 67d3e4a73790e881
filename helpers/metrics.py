"""Sums of a CloudWatch metric, such as invocations or bytes, for several resources at once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from helpers.waiting import wait_until

# A resource that carries a run's id has no older data than the run.
LOOK_BACK = timedelta(hours=3)
PERIOD_S = 60
# Each metric of each request costs something (Amazon CloudWatch pricing, "GetMetricData"), and new data come
# by the minute.
POLL_S = 2.0


def sums(cloudwatch: Any, namespace: str, metric: str, **dimension: Mapping[str, str]) -> pd.Series:
    """The sum of a metric over the last three hours, for each resource by its label; 0 without data.

    `dimension` is the one that tells resources apart, with their values of it by label:
    `sums(cloudwatch, "AWS/Lambda", "Errors", FunctionName={"orders": ws.name("orders")})`. One request takes
    up to 500 of them (CloudWatch API reference, "GetMetricData"). Raises ValueError for no dimension or more
    than one.
    """
    if len(dimension) != 1:
        raise ValueError(
            f"Resources are told apart by one dimension, not by {', '.join(dimension) or 'none'}."
        )
    ((name, resources),) = dimension.items()
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": name, "Value": value}],
                },
                "Period": PERIOD_S,
                "Stat": "Sum",
            },
        }
        for number, value in enumerate(resources.values())
    ]
    now = datetime.now(UTC)
    # The current minute ends after now.
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=now - LOOK_BACK, EndTime=now + timedelta(seconds=PERIOD_S)
    )
    found = dict.fromkeys((query["Id"] for query in queries), 0.0)
    for page in pages:
        for result in page["MetricDataResults"]:
            found[result["Id"]] += sum(result["Values"])
    return pd.Series(list(found.values()), index=list(resources), name=metric, dtype=float)


def wait_for_sums(
    cloudwatch: Any,
    namespace: str,
    metric: str,
    at_least: Mapping[str, float],
    timeout_s: float = 600.0,
    **dimension: Mapping[str, str],
) -> pd.Series:
    """The sums, once they have reached `at_least` (by label) for every label that is in it.

    AWS services send their metrics by the minute, and CloudWatch shows them a minute or more later. Raises
    NotObserved with the sums seen last.
    """
    return wait_until(
        lambda: sums(cloudwatch, namespace, metric, **dimension),
        f"{metric} of {namespace} to reach {dict(at_least)}",
        lambda seen: all(seen[label] >= least for label, least in at_least.items()),
        timeout_s,
        interval_s=POLL_S,
    )
