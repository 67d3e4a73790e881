"""A bucket is created in the Region that is asked for."""

import pytest

from helpers.buckets import location
from helpers.workshop import Workshop


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_bucket_is_in_its_region(workshop: Workshop, region: str) -> None:
    """S3 API reference, "GetBucketLocation": buckets in us-east-1 have a LocationConstraint of null."""
    s3 = workshop.client("s3", region=region)
    s3.create_bucket(Bucket=workshop.name(region), **location(region))
    constraint = s3.get_bucket_location(Bucket=workshop.name(region))["LocationConstraint"]
    assert (constraint or "us-east-1") == region
