"""CreateLogGroup takes the names that CloudWatch Logs takes, and nothing that is not done here.

Restores: what a log group may be called. Refuses: protection from deletion, which MiniStack accepts and
does not give. CloudWatch Logs API reference, "CreateLogGroup".
"""

import re
from typing import Any

from ministack.services import cloudwatch_logs

from helpers.local import contract
from helpers.local.functions.refusal import Refused, not_implemented, preceded_by

_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")


def install() -> None:
    create = contract.expect(cloudwatch_logs, "_create_log_group", ("data",))
    cloudwatch_logs._create_log_group = preceded_by(_check, create)


def _check(data: dict[str, Any]) -> None:
    """Raises Refused."""
    name = data.get("logGroupName") or ""
    if not _NAME.fullmatch(name):
        raise Refused(
            "InvalidParameterException",
            f"1 validation error detected: Value '{name}' at 'logGroupName' failed to satisfy constraint: "
            "Member must have 1 to 512 letters, digits and characters of . - _ / #",
            400,
        )
    if data.get("deletionProtectionEnabled"):
        raise not_implemented("protect a log group from deletion (deletionProtectionEnabled)")
