"""Amazon S3: storage classes, requests, lifecycle transitions and retrievals.

Storage classes go by their names in the API. Source of the rules: the Amazon S3 pricing page. What is
deleted before the minimum of its class (30 days in STANDARD_IA, 90 in GLACIER_IR and GLACIER, 180 in
DEEP_ARCHIVE) is stored until then as far as the bill is concerned.
"""

from typing import Literal

from helpers.pricing.costs import KB_PER_GB, Cost, line
from helpers.pricing.prices import REGION, not_negative

StorageClass = Literal["STANDARD", "STANDARD_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"]
RetrievalTier = Literal["expedited", "standard", "bulk"]

LEAST_OBJECT_KB = 128
ARCHIVE_INDEX_KB = 32
ARCHIVE_NAME_KB = 8
_WITH_LEAST_OBJECT: tuple[StorageClass, ...] = ("STANDARD_IA", "GLACIER_IR")
_ARCHIVES: tuple[StorageClass, ...] = ("GLACIER", "DEEP_ARCHIVE")


def s3_storage_cost(
    gb_months: float,
    storage_class: StorageClass = "STANDARD",
    object_months: float = 0,
    region: str = REGION,
) -> Cost:
    """Storage, with what small objects add to it: `object_months` is the number of objects times months.

    An object in STANDARD_IA or GLACIER_IR counts as at least 128 KB (objects are taken to be alike in
    size); in GLACIER and DEEP_ARCHIVE each takes 32 KB more there and 8 KB in STANDARD.
    """
    name = f"s3.storage.{storage_class}"
    not_negative("The number of GB-months", gb_months)
    not_negative("The number of object-months", object_months)
    if storage_class in _WITH_LEAST_OBJECT:
        gb_months = max(gb_months, object_months * LEAST_OBJECT_KB / KB_PER_GB)
    if storage_class not in _ARCHIVES or not object_months:
        return Cost((line(name, gb_months, region),))
    return Cost(
        (
            line(name, gb_months + object_months * ARCHIVE_INDEX_KB / KB_PER_GB, region),
            line("s3.storage.STANDARD", object_months * ARCHIVE_NAME_KB / KB_PER_GB, region),
        )
    )


def s3_requests_cost(
    puts: float = 0, gets: float = 0, storage_class: StorageClass = "STANDARD", region: str = REGION
) -> Cost:
    """PUT, COPY, POST and, in STANDARD, LIST under `puts`; GET and all others under `gets`.

    Deleting is free.
    """
    return Cost(
        (line(f"s3.put.{storage_class}", puts, region), line(f"s3.get.{storage_class}", gets, region))
    )


def s3_transition_cost(objects: float, to_storage_class: StorageClass, region: str = REGION) -> Cost:
    """Objects that a lifecycle rule moves to a cheaper class, one request each."""
    return Cost((line(f"s3.transition.{to_storage_class}", objects, region),))


def s3_retrieval_cost(
    retrieved_gb: float,
    storage_class: StorageClass,
    objects: float = 0,
    tier: RetrievalTier = "standard",
    region: str = REGION,
) -> Cost:
    """What reading from STANDARD_IA and GLACIER_IR costs besides GET, or restoring from the archives.

    A restore is one request an object, at the price of its tier; DEEP_ARCHIVE has no expedited one. The
    restored copy is stored in STANDARD besides. Raises PriceUnknown for a class or a tier without a price.
    """
    if storage_class not in _ARCHIVES:
        return Cost((line(f"s3.retrieval.{storage_class}", retrieved_gb, region),))
    return Cost(
        (
            line(f"s3.retrieval.{storage_class}.{tier}", retrieved_gb, region),
            line(f"s3.retrieval_requests.{storage_class}.{tier}", objects, region),
        )
    )
