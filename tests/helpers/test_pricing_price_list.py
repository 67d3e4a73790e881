"""The comparison with the AWS Price List, against answers in the form in which the API gives them."""

import json
import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from helpers import pricing

Dimension = tuple[str, str, str]

DURATION = "lambda.duration.x86_64"
DURATION_TIERS: list[Dimension] = [
    # In the order in which the Price List had them on a day in October 2026.
    ("6000000000", "15000000000", "0.0000150000"),
    ("0", "6000000000", "0.0000166667"),
    ("15000000000", "Inf", "0.0000133334"),
]


def product(attributes: dict[str, str], dimensions: list[Dimension]) -> str:
    """A product of the Price List: a JSON document in a string."""
    sku = "TG3M4CAGBA3NYQBH"
    term = f"{sku}.JRTCKXETXF"
    return json.dumps(
        {
            "product": {"productFamily": "Serverless", "attributes": attributes, "sku": sku},
            "serviceCode": "AWSLambda",
            "terms": {
                "OnDemand": {
                    term: {
                        "priceDimensions": {
                            f"{term}.{number}": {
                                "unit": "Lambda-GB-Second",
                                "beginRange": begin,
                                "endRange": end,
                                "description": "AWS Lambda - Total Compute - US East (Northern Virginia)",
                                "appliesTo": [],
                                "rateCode": f"{term}.{number}",
                                "pricePerUnit": {"USD": usd},
                            }
                            for number, (begin, end, usd) in enumerate(dimensions)
                        },
                        "sku": sku,
                        "effectiveDate": "2026-09-01T00:00:00Z",
                        "offerTermCode": "JRTCKXETXF",
                        "termAttributes": {},
                    }
                }
            },
            "version": "20261001184746",
            "publicationDate": "2026-10-01T18:47:46Z",
        }
    )


class PriceList:
    """A Price List with the answers that a test gives it, in the order of the questions."""

    def __init__(self) -> None:
        self.client = boto3.client(
            "pricing", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        self.stubber = Stubber(self.client)
        self.stubber.activate()

    def answers(
        self,
        service: str,
        attributes: dict[str, str],
        products: list[list[Dimension]],
        more: str | None = None,
        token: str | None = None,
    ) -> None:
        response: dict[str, Any] = {
            "FormatVersion": "aws_v1",
            "PriceList": [product(attributes, dimensions) for dimensions in products],
        }
        expected: dict[str, Any] = {
            "ServiceCode": service,
            "FormatVersion": "aws_v1",
            "Filters": [
                {"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in attributes.items()
            ],
        }
        if more:
            response["NextToken"] = more
        if token:
            expected["NextToken"] = token
        self.stubber.add_response("get_products", response, expected)

    def duration_answers(
        self, dimensions: list[Dimension], region: str = "us-east-1", prefix: str = "USE1-"
    ) -> None:
        """To the question for the duration of functions; us-east-1 is asked with and without a prefix."""
        usage_types = [f"{prefix}Lambda-GB-Second", "Lambda-GB-Second"][: 2 if region == "us-east-1" else 1]
        for usage_type in usage_types:
            attributes = {"regionCode": region, "usagetype": usage_type, "group": "AWS-Lambda-Duration"}
            self.answers("AWSLambda", attributes, [dimensions] if usage_type == usage_types[-1] else [])


@pytest.fixture
def price_list() -> PriceList:
    return PriceList()


@pytest.fixture
def prices_copy(tmp_path: Path) -> Path:
    copy = tmp_path / "prices.json"
    copy.write_text(pricing.PRICES_PATH.read_text())
    return copy


def test_a_price_that_is_the_same_is_no_change(price_list: PriceList) -> None:
    price_list.duration_answers(DURATION_TIERS)
    refresh = pricing.refresh(price_list.client, [DURATION])
    assert refresh.changes == () and refresh.unanswered == {} and refresh.unchanged == 1
    assert refresh.table.empty
    price_list.stubber.assert_no_pending_responses()


def test_a_price_that_differs_is_shown_old_and_new(price_list: PriceList) -> None:
    price_list.duration_answers([("0", "6000000000", "0.0000200000"), ("6000000000", "Inf", "0.0000100000")])
    refresh = pricing.refresh(price_list.client, [DURATION])
    row = refresh.table.loc[DURATION]
    assert row["unit"] == "GB-second"
    assert row["old"].startswith("0.0000166667 up to 6,000,000,000, then 0.000015 up to 15,000,000,000")
    assert row["new"] == "0.00002 up to 6,000,000,000, then 0.00001"


def test_nothing_is_written_before_it_is_asked_for(price_list: PriceList) -> None:
    before = pricing.PRICES_PATH.read_bytes()
    price_list.duration_answers([("0", "Inf", "0.0000200000")])
    pricing.refresh(price_list.client, [DURATION])
    assert pricing.PRICES_PATH.read_bytes() == before
    assert pricing.price(DURATION).usd == 0.0000166667


def test_writing_changes_the_lines_of_the_price_only(price_list: PriceList, prices_copy: Path) -> None:
    before = prices_copy.read_text().splitlines()
    price_list.duration_answers([("0", "Inf", "0.0000200000")])
    pricing.refresh(price_list.client, [DURATION]).write(prices_copy)
    after = prices_copy.read_text().splitlines()
    assert '      "usd": 0.00002,' in after
    assert f'      "date": "{date.today().isoformat()}",' in after
    # Five lines of tiers and a date went, a price and a date came.
    assert len(before) - len(after) == 4
    assert len([line for line in after if line not in before]) <= 2


def test_a_refreshed_price_is_calculated_with(
    price_list: PriceList, prices_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from helpers.pricing import prices

    monkeypatch.setattr(prices, "PRICES_PATH", prices_copy)
    price_list.duration_answers([("0", "Inf", "0.0000200000")])
    try:
        pricing.refresh(price_list.client, [DURATION]).write(prices_copy)
        assert pricing.invocation_usd(1000, 1024) == 0.00002
    finally:
        monkeypatch.undo()
        prices.forget()
    assert pricing.invocation_usd(1000, 1024) == 0.0000166667


def test_another_region_gets_entries_of_its_own(price_list: PriceList, prices_copy: Path) -> None:
    price_list.duration_answers([("0", "Inf", "0.0000200000")], region="eu-central-1", prefix="EUC1-")
    refresh = pricing.refresh(price_list.client, [DURATION], region="eu-central-1")
    assert refresh.changes[0].old is None and refresh.table.loc[DURATION, "old"] == ""
    refresh.write(prices_copy)
    entries = json.loads(prices_copy.read_text())["prices"]
    here = [entry for entry in entries if entry["name"] == DURATION]
    assert [entry["region"] for entry in here] == ["us-east-1", "eu-central-1"]
    assert here[1]["usd"] == 0.00002 and here[1]["unit"] == "GB-second" and "price_list" not in here[1]
    assert here[0]["tiers"][0]["usd"] == 0.0000166667


def test_the_free_units_that_a_product_begins_with_are_kept_apart(price_list: PriceList) -> None:
    attributes = {"regionCode": "us-east-1", "usagetype": "USE1-TimedStorage-ByteHrs"}
    attributes["productFamily"] = "Database Storage"
    free_then_charged = [("0", "25", "0.0000000000"), ("25", "Inf", "0.3000000000")]
    price_list.answers("AmazonDynamoDB", attributes, [free_then_charged])
    refresh = pricing.refresh(price_list.client, ["dynamodb.storage"])
    assert refresh.changes[0].new.tiers == (pricing.Tier(math.inf, 0.3),)


def test_products_with_different_prices_are_not_guessed_between(price_list: PriceList) -> None:
    attributes = {"regionCode": "us-east-1", "usagetype": "USE1-Requests-GIR-Tier1"}
    price_list.answers("AmazonS3", attributes, [[("0", "Inf", "0.00002")], [("0", "Inf", "0.00003")]])
    refresh = pricing.refresh(price_list.client, ["s3.put.GLACIER_IR"])
    assert refresh.changes == ()
    assert "2 products of usage type USE1-Requests-GIR-Tier1" in refresh.unanswered["s3.put.GLACIER_IR"]


def test_a_product_that_is_not_there_is_said_and_the_others_go_on(price_list: PriceList) -> None:
    for usage_type in ("USE1-Requests-GIR-Tier1", "Requests-GIR-Tier1"):
        price_list.answers("AmazonS3", {"regionCode": "us-east-1", "usagetype": usage_type}, [])
    price_list.duration_answers([("0", "Inf", "0.0000200000")])
    refresh = pricing.refresh(price_list.client, ["s3.put.GLACIER_IR", DURATION])
    assert "AmazonS3 has no product of usage type" in refresh.unanswered["s3.put.GLACIER_IR"]
    assert list(refresh.table.index) == [DURATION]


def test_a_product_that_is_not_sold_on_demand_has_no_price(price_list: PriceList) -> None:
    for usage_type in ("USE1-Requests-GIR-Tier1", "Requests-GIR-Tier1"):
        price_list.answers("AmazonS3", {"regionCode": "us-east-1", "usagetype": usage_type}, [[]])
    refresh = pricing.refresh(price_list.client, ["s3.put.GLACIER_IR"])
    assert list(refresh.unanswered) == ["s3.put.GLACIER_IR"] and not refresh.changes


def test_all_pages_are_read(price_list: PriceList) -> None:
    attributes = {"regionCode": "us-east-1", "usagetype": "USE1-Requests-GIR-Tier1"}
    price_list.answers("AmazonS3", attributes, [[("0", "Inf", "0.00002")]], more="next")
    price_list.answers("AmazonS3", attributes, [[("0", "Inf", "0.00003")]], token="next")
    refresh = pricing.refresh(price_list.client, ["s3.put.GLACIER_IR"])
    assert "different prices" in refresh.unanswered["s3.put.GLACIER_IR"]


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_keys_are_asked_for_by_the_name_of_the_region(price_list: PriceList, region: str) -> None:
    attributes = {"regionCode": region, "usagetype": f"{region}-KMS-Keys"}
    price_list.answers("awskms", attributes, [[("0", "Inf", "2.0000000000")]])
    refresh = pricing.refresh(price_list.client, ["kms.keys"], region=region)
    assert refresh.changes[0].new.usd == 2 and refresh.changes[0].new.region == region
    price_list.stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    "ranges",
    [
        [("0", "Inf", "0.00002"), ("0", "Inf", "0.00003")],
        [("0", "100", "0.00002"), ("200", "Inf", "0.00001")],
        [("0", "100", "0.00002")],
        [("100", "Inf", "0.00002")],
    ],
    ids=["two prices", "a gap", "no end", "no beginning"],
)
def test_ranges_that_do_not_join_up_are_no_tiers(price_list: PriceList, ranges: list[Dimension]) -> None:
    attributes = {"regionCode": "us-east-1", "usagetype": "USE1-Requests-GIR-Tier1"}
    price_list.answers("AmazonS3", attributes, [ranges])
    refresh = pricing.refresh(price_list.client, ["s3.put.GLACIER_IR"])
    assert refresh.changes == ()
    assert "do not join up" in refresh.unanswered["s3.put.GLACIER_IR"]


def test_data_transfer_is_asked_for_by_the_region_that_it_leaves(price_list: PriceList) -> None:
    attributes = {
        "fromRegionCode": "us-east-1",
        "usagetype": "USE1-DataTransfer-Out-Bytes",
        "transferType": "AWS Outbound",
        "toLocation": "External",
    }
    price_list.answers("AWSDataTransfer", attributes, [[("0", "Inf", "0.0800000000")]])
    refresh = pricing.refresh(price_list.client, ["data_transfer.internet"])
    assert refresh.changes[0].new.usd == 0.08


def test_without_names_all_prices_that_can_be_compared_are(price_list: PriceList) -> None:
    entries = json.loads(pricing.PRICES_PATH.read_text())["prices"]
    queries = {entry["name"]: entry["price_list"] for entry in entries if "price_list" in entry}
    for query in queries.values():
        prefixes = 1 if query["service"] == "awskms" else 2
        for _ in query["usage_types"] * prefixes:
            price_list.stubber.add_response("get_products", {"PriceList": []})
    refresh = pricing.refresh(price_list.client)
    assert list(refresh.unanswered) == list(queries) and len(queries) > 60
    price_list.stubber.assert_no_pending_responses()


def test_a_price_that_the_price_list_has_not_is_refused(price_list: PriceList) -> None:
    with pytest.raises(pricing.PriceUnknown, match=r"cannot be asked for step_functions\.express\.duration"):
        pricing.refresh(price_list.client, ["step_functions.express.duration"])


def test_an_unknown_region_is_refused(price_list: PriceList) -> None:
    with pytest.raises(ValueError, match="How usage types begin in mars-north-1 is not known"):
        pricing.refresh(price_list.client, region="mars-north-1")


def test_the_local_aws_refuses_by_name(make_client: Callable[..., Any]) -> None:
    client = make_client("pricing")
    with pytest.raises(ClientError, match="The local AWS cannot do this: GetProducts") as refused:
        pricing.refresh(client, [DURATION])
    assert refused.value.response["Error"]["Code"] == "NotImplementedException"
    with pytest.raises(ClientError, match="The local AWS cannot do this: DescribeServices"):
        client.describe_services()
