"""Costs of tables, objects, logs, metrics, secrets and transfer: AWS's examples, and arithmetic by hand."""

import pytest

from helpers import pricing

MILLION = 1_000_000
KB_PER_GB = 1024**2


def test_on_demand_table_example() -> None:
    """Page "Pricing for On-Demand Capacity": 3.55 million writes and reads of 1 KB, 27 GB.

    2.22 + 0.44 + 0.50 USD, the first 25 GB being free.
    """
    cost = pricing.dynamodb_cost(
        read_units=pricing.read_request_units(3.55 * MILLION, 1, "strong"),
        write_units=pricing.write_request_units(3.55 * MILLION, 1),
        stored_gb_months=27,
        free_tier=True,
    )
    by_item = {line.item: line.usd for line in cost.lines}
    assert round(by_item["dynamodb.write_request_units"], 2) == 2.22
    assert round(by_item["dynamodb.read_request_units"], 2) == 0.44
    assert by_item["dynamodb.storage"] == pytest.approx(0.50)
    assert round(cost.usd, 2) == 3.16


@pytest.mark.parametrize(
    ("item_kb", "consistency", "units"),
    [(4, "strong", 1), (4, "eventual", 0.5), (4, "transactional", 2), (8, "strong", 2), (4.1, "eventual", 1)],
)
def test_read_request_units(item_kb: float, consistency: pricing.Consistency, units: float) -> None:
    """DynamoDB developer guide, "DynamoDB on-demand capacity mode": read request units."""
    assert pricing.read_request_units(1, item_kb, consistency) == units


@pytest.mark.parametrize(
    ("item_kb", "transactional", "units"), [(0.1, False, 1), (1, False, 1), (1.5, False, 2), (2, True, 4)]
)
def test_write_request_units(item_kb: float, transactional: bool, units: float) -> None:
    """DynamoDB developer guide, "DynamoDB on-demand capacity mode": write request units."""
    assert pricing.write_request_units(1, item_kb, transactional) == units


def test_stream_reads_after_the_free_ones() -> None:
    cost = pricing.dynamodb_cost(stream_reads=3 * MILLION, free_tier=True)
    assert cost.usd == pytest.approx(0.5 * 0.20)


def test_storage_example() -> None:
    """Amazon S3 FAQ, billing: 100 GB for 15 days and 100 TB for 16 days of March, 1,215.00 USD."""
    gb_months = (100 * 15 + 100 * 1024 * 16) / 31
    assert gb_months == 52_900
    assert pricing.s3_storage_cost(gb_months).usd == pytest.approx(1_177.60 + 37.40)


def test_requests_example() -> None:
    """Amazon S3 FAQ, billing: 310,000 PUT and 620,000 GET requests, 1.55 + 0.25 USD; deleting is free."""
    cost = pricing.s3_requests_cost(puts=310_000, gets=620_000)
    assert [round(line.usd, 2) for line in cost.lines] == [1.55, 0.25]


def test_infrequent_access_retrieval_example() -> None:
    """Amazon S3 FAQ, billing: 300 GB retrieved from STANDARD_IA, 3.00 USD."""
    assert pricing.s3_retrieval_cost(300, "STANDARD_IA").usd == pytest.approx(3.00)


@pytest.mark.parametrize(
    ("storage_class", "tier", "usd"),
    [
        ("GLACIER", "expedited", 500 * 0.03 + 500 * 0.01),
        ("GLACIER", "standard", 500 * 0.01 + 500 * 0.00005),
        ("GLACIER", "bulk", 0),
        ("DEEP_ARCHIVE", "standard", 500 * 0.02 + 500 * 0.0001),
        ("DEEP_ARCHIVE", "bulk", 500 * 0.0025 + 500 * 0.000025),
    ],
)
def test_restoring_500_archives_of_1_gb(
    storage_class: pricing.StorageClass, tier: pricing.RetrievalTier, usd: float
) -> None:
    cost = pricing.s3_retrieval_cost(500, storage_class, objects=500, tier=tier)
    assert cost.usd == pytest.approx(usd)


def test_deep_archive_has_no_expedited_retrieval() -> None:
    with pytest.raises(pricing.PriceUnknown, match=r"s3\.retrieval\.DEEP_ARCHIVE\.expedited"):
        pricing.s3_retrieval_cost(1, "DEEP_ARCHIVE", objects=1, tier="expedited")


def test_small_objects_count_as_128_kb_in_infrequent_access() -> None:
    """Amazon S3 pricing page, footnotes on minimum object sizes."""
    small = pricing.s3_storage_cost(1, "STANDARD_IA", object_months=KB_PER_GB)
    assert small.usd == pytest.approx(128 * 0.0125)
    large = pricing.s3_storage_cost(1, "GLACIER_IR", object_months=1024)
    assert large.usd == pytest.approx(0.004)


@pytest.mark.parametrize(("storage_class", "usd"), [("GLACIER", 0.0036), ("DEEP_ARCHIVE", 0.00099)])
def test_archived_objects_take_32_kb_there_and_8_kb_in_standard(
    storage_class: pricing.StorageClass, usd: float
) -> None:
    """Amazon S3 pricing page, footnote on objects in the archives."""
    cost = pricing.s3_storage_cost(10, storage_class, object_months=KB_PER_GB)
    assert cost.usd == pytest.approx((10 + 32) * usd + 8 * 0.023)
    assert pricing.s3_storage_cost(10, storage_class).usd == pytest.approx(10 * usd)


def test_a_lifecycle_rule_pays_off_for_large_objects_only() -> None:
    """A year of 100 GB in GLACIER instead of STANDARD, as 1,000 objects and as 10 million."""

    def saving(objects: int) -> float:
        archived = pricing.s3_transition_cost(objects, "GLACIER")
        archived += pricing.s3_storage_cost(1200, "GLACIER", object_months=12 * objects)
        return pricing.s3_storage_cost(1200).usd - archived.usd

    assert saving(1_000) == pytest.approx(1200 * (0.023 - 0.0036), rel=0.01)
    assert saving(10 * MILLION) < -300


def test_logs_example() -> None:
    """CloudWatch pricing page, "Monitoring with Logs": 30 GB ingested, 6 GB after compression, 12.53 USD."""
    cost = pricing.logs_cost(ingested_gb=30, stored_gb_months=6, free_tier=True)
    assert cost.usd == pytest.approx(25 * 0.50 + 1 * 0.03)
    assert pricing.logs_cost(0, scanned_gb=200).usd == pytest.approx(1.0)


def test_logs_of_functions_get_cheaper_with_their_volume() -> None:
    """AWS Compute Blog, "AWS Lambda introduces tiered pricing for Amazon CloudWatch logs ...".

    60 TB a month: 12,500 USD instead of 30,000. The post's TB are 1,000 GB, the tiers of the bill 1,024:
    with those it is 12,800 instead of 30,720.
    """
    terabytes = 60 * 1024
    assert pricing.logs_cost(terabytes, vended=True).usd == pytest.approx(12_500 * 1.024)
    assert pricing.logs_cost(terabytes).usd == pytest.approx(30_000 * 1.024)
    assert pricing.logs_cost(100, vended=True).usd == pricing.logs_cost(100).usd


def test_logs_of_the_infrequent_access_class_cost_half() -> None:
    rare = pricing.logs_cost(10, stored_gb_months=10, log_class="INFREQUENT_ACCESS")
    assert rare.usd == pytest.approx(10 * 0.25 + 10 * 0.018)
    vended = pricing.logs_cost(10, log_class="INFREQUENT_ACCESS", vended=True)
    assert vended.usd == pytest.approx(2.50)


def test_metrics_get_cheaper_with_their_number() -> None:
    assert pricing.metrics_cost(70).usd == pytest.approx(21.00)
    assert pricing.metrics_cost(12_000).usd == pytest.approx(10_000 * 0.30 + 2_000 * 0.10)
    assert pricing.metrics_cost(11, alarm_metrics=12, free_tier=True).usd == pytest.approx(0.30 + 2 * 0.10)


def test_secrets_by_the_hour_and_their_calls() -> None:
    # 1,000 secrets that live for one hour each, with ten calls a secret.
    cost = pricing.secrets_cost(1000 / 720, api_calls=10_000)
    assert cost.usd == pytest.approx(1000 * 0.40 / 720 + 0.05)


def test_advanced_parameters_and_charged_calls() -> None:
    # 5,000 parameters, 500 of them advanced, read 24 times a day with higher throughput, for 30 days.
    cost = pricing.parameters_cost(500, charged_calls=5000 * 24 * 30)
    assert cost.usd == pytest.approx(25.00 + 18.00)


def test_configurations_cost_more_to_receive_than_to_ask_for() -> None:
    # 2,000 clients that ask every minute for 30 days, and receive a configuration that changes once a day.
    requests, received = 2000 * 60 * 24 * 30, 2000 * 30
    cost = pricing.appconfig_cost(requests, received)
    assert cost.usd == pytest.approx(17.28 + 48.00)
    assert pricing.appconfig_cost(requests=1, configurations_received=0).usd == pytest.approx(0.2 / MILLION)


def test_keys_and_decryptions() -> None:
    """AWS KMS pricing page: 1 USD a key and 0.03 USD for 10,000 requests, after 20,000 free ones."""
    assert pricing.kms_cost(1, requests=100_000).usd == pytest.approx(1.00 + 0.30)
    assert pricing.kms_cost(1, requests=100_000, free_tier=True).usd == pytest.approx(1.00 + 0.24)


def test_internet_transfer_example() -> None:
    """Amazon S3 FAQ, billing: 62 TB out to the internet, 921.51 + 3,481.60 + 860.16 USD.

    The FAQ has the first GB free, of which 10,239 GB are left in the first tier. Since December 2021 the
    first 100 GB of a month are free: 99 GB at 0.09, or 8.91 USD less.
    """
    faq = 10_239 * 0.09 + 40_960 * 0.085 + 12_288 * 0.07
    assert round(faq, 2) == 5_263.27
    cost = pricing.data_transfer_cost(internet_gb=62 * 1024, free_tier=True)
    assert cost.usd == pytest.approx(faq - 8.91)


def test_transfer_between_regions_and_zones() -> None:
    cost = pricing.data_transfer_cost(other_region_gb=10, other_zone_gb=2 * 5)
    assert cost.usd == pytest.approx(10 * 0.02 + 10 * 0.01)


def test_without_a_function_between_them_an_api_and_a_table_cost_less() -> None:
    """The direct integration of the post "Optimizing your AWS Lambda costs – Part 2", with today's prices."""
    reads = 10 * MILLION
    direct = pricing.rest_api_cost(reads) + pricing.dynamodb_cost(pricing.read_request_units(reads))
    function = pricing.lambda_cost(reads, billed_ms=10, memory_mb=256)
    assert direct.usd == pytest.approx(35 + 0.625)
    assert function.usd == pytest.approx(2 + 25_000 * 0.0000166667)
