"""What a month of reading one parameter costs, by the store that holds it and the way in which it is read.

The ways are those of the post "Choosing the right solution for AWS Lambda external parameters": "variable"
(an environment variable of the function), "init" (once in each execution environment), "invocation" (each
time), "powertools" (when the value that is kept is older than a maximum age) and "agent" (the AppConfig agent
polls). Stores are "standard", "advanced" and "secure" parameters of Parameter Store, "secret", "appconfig",
"s3" and "dynamodb".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

import pandas as pd

from helpers import pricing
from helpers.pricing import Cost

Way = Literal["variable", "init", "invocation", "powertools", "agent"]
Store = Literal["standard", "advanced", "secure", "secret", "appconfig", "s3", "dynamodb"]
STORES: tuple[Store, ...] = get_args(Store)

MONTH_S = 730 * 3600


@dataclass(frozen=True)
class Load:
    """A month of one function: `environments` are there all the time and serve all `invocations`.

    `cold_starts` have made them and their successors; the parameter changes `changes` times. The ages are the
    defaults of Powertools and of the agent.
    """

    invocations: float
    environments: float = 10
    cold_starts: float = 10_000
    changes: float = 30
    max_age_s: float = 5
    poll_interval_s: float = 45


@dataclass(frozen=True)
class Calls:
    """Reads of the store, and how many of them bring a configuration that the client did not have."""

    reads: float
    received: float


def calls(way: Way, load: Load) -> Calls:
    """The calls of a month, at most: caches that nobody asks are not refreshed.

    On every invocation AppConfig is asked in a new session, so that each read brings the configuration. A
    cache keeps its session and receives a configuration at first and after a change (AppConfig user guide,
    "Retrieving configuration data").
    """
    if way == "variable":
        return Calls(0, 0)
    if way == "init":
        return Calls(load.cold_starts, load.cold_starts)
    if way == "invocation":
        return Calls(load.invocations, load.invocations)
    age_s = load.max_age_s if way == "powertools" else load.poll_interval_s
    refreshes = load.environments * MONTH_S / age_s
    received = load.cold_starts + load.changes * load.environments
    reads = min(load.invocations, load.cold_starts + refreshes)
    return Calls(reads, min(reads, received))


def store_cost(store: Store, made: Calls, higher_throughput: bool = False) -> Cost:
    """What the store charges for keeping the parameter, of 4 KB at most, and for these calls.

    `higher_throughput` is that of Parameter Store, which charges for calls to standard parameters then. A
    SecureString is encrypted under a customer managed key.
    """
    if store == "standard":
        return pricing.parameters_cost(charged_calls=made.reads if higher_throughput else 0)
    if store == "advanced":
        return pricing.parameters_cost(1, charged_calls=made.reads)
    if store == "secure":
        return store_cost("standard", made, higher_throughput) + pricing.kms_cost(1, made.reads)
    if store == "secret":
        return pricing.secrets_cost(1, made.reads)
    if store == "appconfig":
        return pricing.appconfig_cost(made.reads, made.received)
    if store == "s3":
        return pricing.s3_requests_cost(gets=made.reads)
    return pricing.dynamodb_cost(pricing.read_request_units(made.reads, item_kb=4))


def duration_cost(way: Way, load: Load, read_ms: float, call_ms: float, memory_mb: int) -> Cost:
    """What Lambda charges for the duration of reads, of `read_ms` by the function and `call_ms` of the store.

    Each invocation reads once. In the ways that keep a value, calls come on top of that, but for those of the
    agent, which runs beside the function. Requests are not in it: they are the same in all ways.
    """
    on_top = 0.0 if way in ("invocation", "agent") else calls(way, load).reads * call_ms
    milliseconds = load.invocations * read_ms + on_top
    return Cost(pricing.lambda_cost(1, milliseconds, memory_mb).lines[1:])


def store_usd(variant: str, load: Load) -> float:
    """What the store charges in a month for a variant such as "secret-init", in USD.

    Raises ValueError for a text that is no variant.
    """
    store, way = parse(variant)
    return store_cost(store, calls(way, load)).usd if store else 0.0


def bill(read_ms: Mapping[str, float], load: Load, memory_mb: int) -> pd.DataFrame:
    """What reading costs in a month, in USD: one row a variant, with columns store and lambda.

    `read_ms` is what a warm read takes, by variant: "variable", or a store and a way such as "secret-init".
    For a way that keeps a value it also has the same store on every invocation, whose duration is that of a
    call. Raises KeyError when it does not, and ValueError for a text that is no variant.
    """
    rows = {}
    for variant, milliseconds in read_ms.items():
        store, way = parse(variant)
        call_ms = read_ms[f"{store}-invocation"] if store else 0.0
        duration = duration_cost(way, load, milliseconds, call_ms, memory_mb)
        rows[variant] = {"store": store_usd(variant, load), "lambda": duration.usd}
    return pd.DataFrame.from_dict(rows, orient="index")


def parse(variant: str) -> tuple[Store | None, Way]:
    """The store and the way of a variant such as "secret-init"; "variable" has no store.

    Raises ValueError for any other text.
    """
    if variant == "variable":
        return None, "variable"
    store, _, way = variant.partition("-")
    if store not in STORES or way not in get_args(Way) or way == "variable":
        raise ValueError(
            f"{variant!r} is no variant: expected 'variable', or one of {', '.join(STORES)} with '-init', "
            "'-invocation', '-powertools' or '-agent'."
        )
    return store, cast(Way, way)
