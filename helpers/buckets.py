"""What Amazon S3 wants to know of a new bucket."""

from typing import Any

# Where a bucket is when nothing is said. S3 refuses it as a LocationConstraint.
DEFAULT_REGION = "us-east-1"


def location(region: str) -> dict[str, Any]:
    """What puts a new bucket into a Region: `s3.create_bucket(Bucket=name, **location(region))`.

    Source: S3 API reference, "CreateBucket", LocationConstraint.
    """
    if region == DEFAULT_REGION:
        return {}
    return {"CreateBucketConfiguration": {"LocationConstraint": region}}
