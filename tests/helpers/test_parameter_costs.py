"""What a parameter costs by store and way, against arithmetic by hand."""

import pytest

from helpers.parameter_costs import (
    MONTH_S,
    Calls,
    Load,
    Store,
    bill,
    calls,
    duration_cost,
    parse,
    store_cost,
    store_usd,
)

MILLION = 1_000_000
LOAD = Load(10 * MILLION, environments=10, cold_starts=10_000, changes=30)


def test_calls_of_a_month_by_way() -> None:
    assert calls("variable", LOAD) == Calls(0, 0)
    assert calls("init", LOAD) == Calls(10_000, 10_000)
    assert calls("invocation", LOAD) == Calls(10 * MILLION, 10 * MILLION)
    assert calls("powertools", LOAD) == Calls(10_000 + 10 * MONTH_S / 5, 10_000 + 300)
    assert calls("agent", LOAD) == Calls(10_000 + 10 * MONTH_S / 45, 10_000 + 300)


def test_a_cache_is_not_refreshed_more_often_than_it_is_asked() -> None:
    few = Load(1000)
    assert calls("powertools", few) == calls("agent", few) == Calls(1000, 1000)


@pytest.mark.parametrize(
    ("store", "usd"),
    [
        ("standard", 0),
        ("advanced", 0.05 + 5),
        ("secure", 1 + 3),
        ("secret", 0.40 + 5),
        ("appconfig", 0.2 + 0.8),
        ("s3", 0.40),
        ("dynamodb", MILLION / 2 * 0.125e-6),
    ],
)
def test_a_million_reads_by_store(store: Store, usd: float) -> None:
    """The prices of the AWS pricing pages; of AppConfig, a thousand reads bring a new configuration."""
    assert store_cost(store, Calls(MILLION, 1000)).usd == pytest.approx(usd)


def test_higher_throughput_is_charged_for_standard_parameters_too() -> None:
    """AWS Systems Manager pricing page: 0.05 USD for 10,000 calls, whatever the tier."""
    made = Calls(MILLION, 0)
    assert store_cost("standard", made, higher_throughput=True).usd == pytest.approx(5)
    assert store_cost("secure", made, higher_throughput=True).usd == pytest.approx(1 + 3 + 5)


def test_duration_of_reads_and_of_the_calls_behind_a_cache() -> None:
    gb_second = 0.0000166667
    on_every = duration_cost("invocation", LOAD, read_ms=2, call_ms=2, memory_mb=1024)
    assert on_every.usd == pytest.approx(10 * MILLION * 0.002 * gb_second)
    cached = duration_cost("init", LOAD, read_ms=0, call_ms=2, memory_mb=1024)
    assert cached.usd == pytest.approx(10_000 * 0.002 * gb_second)
    assert duration_cost("agent", LOAD, read_ms=0, call_ms=2, memory_mb=1024).usd == 0


def test_a_bill_has_a_row_a_variant() -> None:
    read_ms = {"variable": 0.0, "secret-init": 0.0, "secret-invocation": 1.0}
    table = bill(read_ms, LOAD, memory_mb=1024)
    assert list(table.index) == list(read_ms)
    assert table.loc["variable"].tolist() == [0, 0]
    assert table["store"].tolist() == pytest.approx([0, 0.45, 50.40])
    assert table.loc["secret-invocation", "lambda"] > 100 * table.loc["secret-init", "lambda"] > 0
    with pytest.raises(KeyError, match="secret-invocation"):
        bill({"secret-init": 0.0}, LOAD, memory_mb=1024)


def test_the_store_alone() -> None:
    assert store_usd("variable", LOAD) == 0
    assert store_usd("secret-invocation", LOAD) == pytest.approx(50.40)


def test_variants_are_a_store_and_a_way() -> None:
    assert parse("appconfig-agent") == ("appconfig", "agent")
    assert parse("variable") == (None, "variable")
    for wrong in ("secret", "secret-variable", "redis-init", "secret-often"):
        with pytest.raises(ValueError, match="is no variant: expected 'variable', or one of standard"):
            parse(wrong)
