"""What a load costs on AWS: costs with their breakdown, from the public prices in data/prices.json.

Every function prices one Region, us-east-1 unless told otherwise; data/prices.json names the page and the
date of each price. Monthly quantities are quantities of one account in one Region, as tiers and the free
tier are counted per account: of costs that you add up, let one take the free tier. Sizes are those of one
request, message or item: price loads of different sizes one by one and add the costs.

Quantities, durations and sizes are finite and 0 or more, else a function raises ValueError; it raises
PriceUnknown where data/prices.json has no price for the Region, or for the architecture or storage class.
"""

from helpers.pricing.apis import http_api_cost, rest_api_cost, websocket_api_cost
from helpers.pricing.cloudwatch import LogClass, logs_cost, metrics_cost
from helpers.pricing.configuration import appconfig_cost, kms_cost, parameters_cost, secrets_cost
from helpers.pricing.costs import Cost, CostLine
from helpers.pricing.data_transfer import data_transfer_cost
from helpers.pricing.dynamodb import Consistency, dynamodb_cost, read_request_units, write_request_units
from helpers.pricing.events import (
    api_destination_cost,
    event_archive_cost,
    event_bus_cost,
    pipes_cost,
    scheduler_cost,
)
from helpers.pricing.lambda_functions import (
    Architecture,
    invocation_usd,
    lambda_cost,
    provisioned_break_even,
    provisioned_concurrency_cost,
    provisioned_saving,
    savings_plan_discount,
)
from helpers.pricing.messaging import sns_cost, sqs_cost
from helpers.pricing.price_list import PriceChange, Refresh, refresh
from helpers.pricing.prices import PRICES_PATH, REGION, Price, PriceUnknown, Tier, price
from helpers.pricing.s3 import (
    RetrievalTier,
    StorageClass,
    s3_requests_cost,
    s3_retrieval_cost,
    s3_storage_cost,
    s3_transition_cost,
)
from helpers.pricing.streams import kinesis_on_demand_cost, kinesis_provisioned_cost
from helpers.pricing.workflows import express_workflow_cost, standard_workflow_cost

__all__ = [
    "PRICES_PATH",
    "REGION",
    "Architecture",
    "Consistency",
    "Cost",
    "CostLine",
    "LogClass",
    "Price",
    "PriceChange",
    "PriceUnknown",
    "Refresh",
    "RetrievalTier",
    "StorageClass",
    "Tier",
    "api_destination_cost",
    "appconfig_cost",
    "data_transfer_cost",
    "dynamodb_cost",
    "event_archive_cost",
    "event_bus_cost",
    "express_workflow_cost",
    "http_api_cost",
    "invocation_usd",
    "kinesis_on_demand_cost",
    "kinesis_provisioned_cost",
    "kms_cost",
    "lambda_cost",
    "logs_cost",
    "metrics_cost",
    "parameters_cost",
    "pipes_cost",
    "price",
    "provisioned_break_even",
    "provisioned_concurrency_cost",
    "provisioned_saving",
    "read_request_units",
    "refresh",
    "rest_api_cost",
    "s3_requests_cost",
    "s3_retrieval_cost",
    "s3_storage_cost",
    "s3_transition_cost",
    "savings_plan_discount",
    "scheduler_cost",
    "secrets_cost",
    "sns_cost",
    "sqs_cost",
    "standard_workflow_cost",
    "websocket_api_cost",
    "write_request_units",
]
