"""Costs are refused for what is no quantity, and for what has no price, with a message that helps."""

import math
from collections.abc import Callable
from inspect import Parameter, signature

import pytest

from helpers import pricing

CALCULATIONS: list[Callable[..., object]] = [
    getattr(pricing, name)
    for name in pricing.__all__
    if name.endswith(("_cost", "_units")) or name == "invocation_usd"
]


def numbers_of(function: Callable[..., object]) -> list[str]:
    """The parameters that take a number."""
    parameters = signature(function).parameters.values()
    return [parameter.name for parameter in parameters if parameter.annotation in (int, float)]


def arguments_of(function: Callable[..., object]) -> dict[str, object]:
    """Arguments that it takes: 1 for every number, and a storage class where one is required."""
    parameters = signature(function).parameters.values()
    required = {parameter.name for parameter in parameters if parameter.default is Parameter.empty}
    classes = dict.fromkeys(required & {"storage_class", "to_storage_class"}, "GLACIER")
    return {**dict.fromkeys(numbers_of(function), 1), **classes}


@pytest.mark.parametrize("number", [-1, math.nan, math.inf])
@pytest.mark.parametrize(
    ("function", "name"),
    [
        pytest.param(function, name, id=f"{function.__name__}-{name}")
        for function in CALCULATIONS
        for name in numbers_of(function)
    ],
)
def test_a_number_below_0_or_without_a_value_is_refused(
    function: Callable[..., object], name: str, number: float
) -> None:
    arguments = arguments_of(function)
    assert function(**arguments)
    with pytest.raises(ValueError, match="is finite and 0 or more, not "):
        function(**{**arguments, name: number})


def test_a_price_refuses_such_quantities_too() -> None:
    with pytest.raises(ValueError, match=r"A quantity of lambda\.requests is finite and 0 or more, not nan"):
        pricing.price("lambda.requests").of(math.nan)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (
            lambda: pricing.lambda_cost(1, 1, 128, "arm"),  # type: ignore[arg-type]
            r"lambda\.duration\.arm\. There are: lambda\.duration\.arm64, lambda\.duration\.x86_64\.$",
        ),
        (
            lambda: pricing.invocation_usd(1, 128, "arm"),  # type: ignore[arg-type]
            r"lambda\.duration\.arm\. There are: lambda\.duration\.arm64, lambda\.duration\.x86_64\.$",
        ),
        (
            lambda: pricing.s3_storage_cost(1, "COLD"),  # type: ignore[arg-type]
            r"s3\.storage\.COLD\. There are: s3\.storage\.DEEP_ARCHIVE, .*, s3\.storage\.STANDARD_IA\.$",
        ),
        (
            lambda: pricing.s3_retrieval_cost(1, "STANDARD"),
            r"s3\.retrieval\.STANDARD\. There are: s3\.retrieval\.DEEP_ARCHIVE\.bulk, ",
        ),
        (lambda: pricing.price("dreams"), r"There are: api_gateway\.http\.requests, .*lambda\.requests"),
    ],
)
def test_what_has_no_price_is_refused_with_what_has_one(refused: Callable[[], object], message: str) -> None:
    with pytest.raises(pricing.PriceUnknown, match=message):
        refused()


@pytest.mark.parametrize(
    "function", [function for function in CALCULATIONS if "region" in signature(function).parameters]
)
def test_an_unknown_region_is_refused_with_those_that_have_the_price(
    function: Callable[..., object],
) -> None:
    with pytest.raises(pricing.PriceUnknown, match="in us-east-1, not in mars-north-1: add it to prices"):
        function(**arguments_of(function), region="mars-north-1")


def test_an_unknown_choice_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="A log class is one of STANDARD, INFREQUENT_ACCESS, not 'rare'"):
        pricing.logs_cost(1, log_class="rare")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Consistency is one of eventual, strong, transactional, not 'weak'"):
        pricing.read_request_units(1, consistency="weak")  # type: ignore[arg-type]
