"""Costs of workflows, events, messages, streams and APIs against AWS's examples and arithmetic by hand."""

import pytest

from helpers import pricing

MILLION = 1_000_000
BILLION = 1_000_000_000
DAY_S = 24 * 3600


def test_express_workflow_example() -> None:
    """AWS Step Functions pricing page: 100 million executions of 10 s at 64 MB, 482.97 USD."""
    cost = pricing.express_workflow_cost(100 * MILLION, 10_000, 64)
    assert cost.usd == pytest.approx(100 + 60 + 120 + 12_361.11 * 0.01642, abs=0.01)
    assert round(cost.usd, 2) == 482.97


def test_express_workflows_count_in_steps_of_100_ms_and_64_mb() -> None:
    assert pricing.express_workflow_cost(1, 101, 65) == pricing.express_workflow_cost(1, 200, 128)


def test_standard_workflow_transitions_after_the_free_ones() -> None:
    assert pricing.standard_workflow_cost(5000, free_tier=True).usd == pytest.approx(1000 * 0.000025)
    assert pricing.standard_workflow_cost(5000).usd == pytest.approx(0.125)


def test_event_bus_example() -> None:
    """Amazon EventBridge pricing page, event buses: 5 million events of up to 64 KB, 5.00 USD."""
    assert pricing.event_bus_cost(5 * MILLION, event_kb=64).usd == pytest.approx(5.00)


def test_an_event_of_256_kb_is_billed_as_four() -> None:
    """Amazon EventBridge pricing page, size of payloads."""
    assert pricing.event_bus_cost(1, event_kb=256) == pricing.event_bus_cost(4, event_kb=1)
    assert pricing.event_bus_cost(1, event_kb=64.1) == pricing.event_bus_cost(2, event_kb=1)


def test_events_for_other_accounts_examples() -> None:
    """Amazon EventBridge pricing page, event buses: deliveries to services in another account.

    5 million events of partners, 1 million of them delivered there: 5.00 + 0.05 USD; 5 million events of AWS
    services, all delivered there: 0.00 + 5.00 USD.
    """
    of_partners = pricing.event_bus_cost(5 * MILLION, cross_account_events=MILLION)
    assert of_partners.usd == pytest.approx(5.00 + 0.05)
    of_services = pricing.event_bus_cost(0, cross_account_aws_events=5 * MILLION)
    assert of_services.usd == pytest.approx(5.00)


def test_archive_and_replay_example() -> None:
    """Amazon EventBridge pricing page, event replay: 2 million events of 6 KB, 2.00 + 1.14 + 0.26 + 2.00."""
    published = pricing.event_bus_cost(2 * MILLION, event_kb=6)
    archive = pricing.event_archive_cost(2 * MILLION, event_kb=6, replayed_events=2 * MILLION)
    by_item = {line.item: line.usd for line in archive.lines}
    assert round(by_item["eventbridge.archive.processing"], 2) == 1.14
    assert round(by_item["eventbridge.archive.storage"], 2) == 0.26
    # The page adds up rounded figures to 5.40; the exact sum is 0.0077 more and rounds to 5.41.
    assert (published + archive).usd == pytest.approx(5.40, abs=0.01)


def test_pipes_example() -> None:
    """Amazon EventBridge pricing page, pipes: 25 % of 10 million records, 5 in a request, 0.20 USD."""
    assert pricing.pipes_cost(10 * MILLION * 0.25 / 5).usd == pytest.approx(0.20)


def test_scheduler_example() -> None:
    """Amazon EventBridge pricing page, scheduler: 20 million invocations, 14 million free, 6.00 USD."""
    assert pricing.scheduler_cost(20 * MILLION, free_tier=True).usd == pytest.approx(6.00)


def test_api_destination_example() -> None:
    """Amazon EventBridge pricing page, API destinations: 2 million invocations, 0.40 USD."""
    assert pricing.api_destination_cost(2 * MILLION).usd == pytest.approx(0.40)


@pytest.mark.parametrize(
    ("fifo", "usd_per_million"), [(False, (0.40, 0.30, 0.24)), (True, (0.50, 0.40, 0.35))]
)
def test_queue_requests_get_cheaper_in_two_steps(fifo: bool, usd_per_million: tuple[float, ...]) -> None:
    """Amazon SQS pricing page: from 1 million to 100 billion, to 200 billion, over 200 billion requests."""
    cost = pricing.sqs_cost(300 * BILLION, fifo=fifo)
    assert cost.usd == pytest.approx(sum(100_000 * usd for usd in usd_per_million))


def test_a_million_queue_requests_are_free() -> None:
    assert pricing.sqs_cost(MILLION, free_tier=True).usd == 0
    assert pricing.sqs_cost(3 * MILLION, free_tier=True).usd == pytest.approx(0.80)


@pytest.mark.parametrize(("payload_kb", "requests"), [(0, 1), (64, 1), (64.5, 2), (256, 4), (1024, 16)])
def test_queue_payloads_count_in_chunks_of_64_kb(payload_kb: float, requests: int) -> None:
    """Amazon SQS pricing page: an API action with a payload of 256 KB is billed as 4 requests."""
    assert pricing.sqs_cost(1, payload_kb) == pricing.sqs_cost(requests)


def test_topics_charge_for_publishing_and_for_http_only() -> None:
    cost = pricing.sns_cost(2 * MILLION, payload_kb=65, http_deliveries=100_000)
    assert cost.usd == pytest.approx(4 * 0.50 + 0.2 * 0.60)
    assert pricing.sns_cost(MILLION, http_deliveries=100_000, free_tier=True).usd == 0


def test_provisioned_stream_example() -> None:
    """Amazon Kinesis Data Streams pricing page: 100 records of 35 KB a second, 4 shards, 31 days."""
    cost = pricing.kinesis_provisioned_cost(4, 24 * 31, 100 * DAY_S * 31, record_kb=35)
    by_item = {line.item: line for line in cost.lines}
    assert by_item["kinesis.put_payload_units"].quantity == 535_680_000
    assert by_item["kinesis.shard_hours"].usd == pytest.approx(44.64)
    assert round(by_item["kinesis.put_payload_units"].usd, 2) == 7.50
    assert round(cost.usd, 2) == 52.14


def test_on_demand_streams_count_whole_kb() -> None:
    cost = pricing.kinesis_on_demand_cost(1, 720, records=1024**2, record_kb=0.2, retrieved_gb=2)
    assert cost.usd == pytest.approx(720 * 0.04 + 1 * 0.08 + 2 * 0.04)


def test_rest_api_example() -> None:
    """Amazon API Gateway pricing page, REST APIs: 5 million calls with answers of 3 KB, 17.50 + 1.29 USD."""
    calls = pricing.rest_api_cost(5 * MILLION)
    transfer = pricing.data_transfer_cost(internet_gb=5 * MILLION * 3 / 1024**2)
    assert calls.usd == pytest.approx(17.50)
    assert round(transfer.usd, 2) == 1.29
    assert round((calls + transfer).usd, 2) == 18.79


def test_rest_api_tiers_example() -> None:
    """Amazon API Gateway pricing page, REST APIs: 15 billion calls, 1,165.50 + 1,867.60 + 33,320.00 USD."""
    assert pricing.rest_api_cost(15 * BILLION).usd == pytest.approx(1_165.50 + 1_867.60 + 33_320.00)


def test_http_api_requests_count_in_steps_of_512_kb_and_get_cheaper() -> None:
    """Amazon API Gateway pricing page, HTTP APIs: a request of 513 KB is metered as two."""
    assert pricing.http_api_cost(1, payload_kb=513) == pricing.http_api_cost(2)
    assert pricing.http_api_cost(400 * MILLION).usd == pytest.approx(300 * 1.00 + 100 * 0.90)


def test_websocket_messages_and_minutes() -> None:
    # 1,000 users, connected for 12 hours a day, who send and receive 1,000 messages each in the month.
    minutes = 1000 * 12 * 60 * 30
    cost = pricing.websocket_api_cost(2 * MILLION, minutes)
    assert cost.usd == pytest.approx(2.00 + 5.40)
    assert pricing.websocket_api_cost(1, 0, message_kb=33) == pricing.websocket_api_cost(2, 0)


def test_a_size_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or more, not -1"):
        pricing.sqs_cost(1, payload_kb=-1)


def test_waiting_costs_a_function_its_time_and_a_workflow_one_transition() -> None:
    """The comparison of the post "Optimizing your AWS Lambda costs – Part 2", with today's prices."""
    workflow = pricing.standard_workflow_cost(5 * MILLION) + pricing.lambda_cost(2 * MILLION, 100, 128)
    assert workflow.usd == pytest.approx(125 + 0.40 + 25_000 * 0.0000166667)
    # Five transitions cost as much as 128 MB do in a minute: it pays to let the workflow wait from then on.
    a_minute = pricing.lambda_cost(MILLION, billed_ms=60_000, memory_mb=128)
    assert a_minute.usd == pytest.approx(0.20 + 7_500_000 * 0.0000166667)
    assert a_minute.usd < workflow.usd < pricing.lambda_cost(MILLION, 61_000, 128).usd
