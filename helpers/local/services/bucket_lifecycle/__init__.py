"""Lifecycle configurations of buckets: checked as S3 checks them, and carried out.

Restores: PutBucketLifecycleConfiguration takes what S3 takes; objects are moved to colder storage classes
and deleted when their rules say so, at the first request to the bucket in a later minute, where S3 does it
within a day. MiniStack stores configurations with few checks and never acts on them.

AWS: Amazon S3 user guide, "Managing the lifecycle of objects".
"""

import time
from typing import Any

from ministack.core.responses import AccountScopedDict
from ministack.services import s3

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.services.bucket_lifecycle import effects
from helpers.local.services.bucket_lifecycle.checks import check_rules
from helpers.local.services.bucket_lifecycle.document import rules_of

MINIMUM_SIZE_HEADER = "x-amz-transition-default-minimum-object-size"
MINIMUM_SIZES = (effects.ALL_CLASSES_128K, effects.VARIES_BY_STORAGE_CLASS)
_MINUTE_S = 60

_configurations = contract.expect(s3, "_bucket_lifecycle")
_buckets = contract.expect(s3, "_buckets")
_error = contract.expect(s3, "_error")
_no_such_bucket = contract.expect(s3, "_no_such_bucket", ("name",))
# By the name of the bucket: the header above, and the minute in which rules were carried out.
_minimum_sizes = AccountScopedDict()
_last_minutes = AccountScopedDict()


def install() -> None:
    parameters = ("method", "bucket", "key", "headers", "body", "query_params")
    dispatch = contract.expect(s3, "_dispatch", parameters)

    def carry_out_and_dispatch(
        method: str, bucket: str, key: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Any:
        if not key and "lifecycle" in query_params and method == "PUT":
            return _put(bucket, headers, body)
        _carry_out(bucket)
        answer = dispatch(method, bucket, key, headers, body, query_params)
        if not key and "lifecycle" in query_params and method == "GET" and answer[0] == 200:
            answer[1][MINIMUM_SIZE_HEADER] = _minimum_size(bucket)
        return answer

    s3._dispatch = carry_out_and_dispatch


def _put(bucket: str, headers: dict[str, str], body: bytes) -> Any:
    if bucket not in _buckets:
        return _no_such_bucket(bucket)
    minimum_size = headers.get(MINIMUM_SIZE_HEADER) or effects.ALL_CLASSES_128K
    try:
        if minimum_size not in MINIMUM_SIZES:
            raise Refused("InvalidRequest", "Invalid TransitionDefaultMinimumObjectSize found", 400)
        rules = rules_of(body)
        check_rules(rules)
    except Refused as refused:
        return _error(refused.code, refused.message, refused.status, f"/{bucket}")
    _configurations[bucket] = rules
    _minimum_sizes[bucket] = minimum_size
    _last_minutes.pop(bucket, None)
    return 200, {MINIMUM_SIZE_HEADER: minimum_size}, b""


def _carry_out(bucket: str) -> None:
    """Once a minute, lest every request looks at every object."""
    rules = _configurations.get(bucket)
    minute = int(time.time() // _MINUTE_S)
    if not rules or bucket not in _buckets or _last_minutes.get(bucket) == minute:
        return
    _last_minutes[bucket] = minute
    effects.apply(bucket, rules, _minimum_size(bucket))


def _minimum_size(bucket: str) -> str:
    return str(_minimum_sizes.get(bucket) or effects.ALL_CLASSES_128K)
