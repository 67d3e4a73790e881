"""The transcribed tables: shapes, and the facts that the notebooks read off them."""

import pytest

from helpers import published


def test_init_does_not_depend_on_memory_on_aws() -> None:
    """data/README.md: INIT runs at full speed at every memory size."""
    table = published.cold_starts()
    spread = table.groupby(["runtime", "architecture"])["init_p50_ms"].agg(
        lambda init: init.max() / init.min()
    )
    assert len(spread) == 28
    assert spread.max() < 1.05


def test_init_percentiles_of_one_configuration() -> None:
    assert published.init_percentiles("python3.12", 512) == {50: 86.5, 90: 106.0, 99: 138.0}
    assert published.init_percentiles("python3.12", 512, "arm64")[50] == 81.1


def test_unmeasured_configuration_says_what_there_is() -> None:
    with pytest.raises(LookupError, match=r"cold starts of perl5 with 512 MB.*python3\.12"):
        published.init_percentiles("perl5", 512)


def test_cpu_share_follows_the_memory_law() -> None:
    """AWS Lambda Developer Guide, "Configure Lambda function memory": 1,769 MB is one vCPU."""
    shares = published.cpu_shares()
    for memory_mb, share in shares.items():
        assert share == pytest.approx(float(str(memory_mb)) / 1769, rel=0.06)


def test_published_tuning() -> None:
    table = published.power_tuning()
    assert table["cost_usd"].idxmin() == 1024
    assert table["duration_ms"].is_monotonic_decreasing


def test_percentiles_of_the_posts_java_runtime() -> None:
    """data/README.md: aws-samples/aws-lambda-java-custom-runtime, 512 MB."""
    assert published.custom_java_runtime("cold_total") == {50: 3258, 90: 3415, 99: 3778}
    assert published.custom_java_runtime("cold_init") == {50: 1356}
    assert published.custom_java_runtime("warm_duration") == {50: 7.5, 90: 17.4, 99: 41.7}
    with pytest.raises(LookupError, match="Nothing was published of 'restore': there are cold_total"):
        published.custom_java_runtime("restore")
