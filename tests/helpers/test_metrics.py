"""Sums of a metric are those of each resource, and can be waited for."""

import threading

import pytest

from helpers import metrics
from helpers.waiting import NotObserved
from helpers.workshop import Workshop

NAMESPACE = "Workshop/Tests"


def publish(workshop: Workshop, queue: str, *values: float) -> None:
    dimensions = [{"Name": "Queue", "Value": workshop.name(queue)}]
    workshop.client("cloudwatch").put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[{"MetricName": "Sent", "Dimensions": dimensions, "Value": value} for value in values],
    )


def queues(workshop: Workshop, *labels: str) -> dict[str, str]:
    return {label: workshop.name(label) for label in labels}


def test_each_resource_has_its_own_sum_and_without_data_it_is_zero(workshop: Workshop) -> None:
    publish(workshop, "orders", 1, 2.5)
    publish(workshop, "bills", 7)
    resources = queues(workshop, "orders", "silent", "bills")
    found = metrics.sums(workshop.client("cloudwatch"), NAMESPACE, "Sent", Queue=resources)
    assert found.to_dict() == {"orders": 3.5, "silent": 0, "bills": 7}


def test_sums_that_grow_are_waited_for(workshop: Workshop) -> None:
    publish(workshop, "orders", 1)
    later = threading.Timer(0.7, publish, (workshop, "orders", 2))
    later.start()
    resources = queues(workshop, "orders", "silent")
    cloudwatch = workshop.client("cloudwatch")
    found = metrics.wait_for_sums(cloudwatch, NAMESPACE, "Sent", {"orders": 3}, 30, Queue=resources)
    later.join()
    assert found.to_dict() == {"orders": 3, "silent": 0}


def test_sums_that_stay_too_small_are_told(workshop: Workshop) -> None:
    publish(workshop, "orders", 1)
    cloudwatch, resources = workshop.client("cloudwatch"), queues(workshop, "orders")
    with pytest.raises(NotObserved, match=r"Sent of Workshop/Tests to reach \{'orders': 2\}"):
        metrics.wait_for_sums(cloudwatch, NAMESPACE, "Sent", {"orders": 2}, timeout_s=0, Queue=resources)


def test_resources_are_told_apart_by_one_dimension(workshop: Workshop) -> None:
    with pytest.raises(ValueError, match="by one dimension, not by Queue, Topic"):
        metrics.sums(workshop.client("cloudwatch"), NAMESPACE, "Sent", Queue={}, Topic={})
