"""Try a call again while AWS does not yet know a role that was created a moment ago.

IAM answers before a new role or policy has reached every service ("IAM is eventually consistent",
IAM User Guide, "Troubleshoot IAM"). Services then refuse the role with an error that looks final.
Only used with target="aws": the local AWS knows a role at once.
"""

import re
from typing import Any

from botocore.client import BaseClient

PAUSE_S = 2.0
LONGEST_WAIT_S = 60.0

# What services answer while a role or a policy has not reached them yet.
NOT_YET = {
    ("lambda", "CreateFunction"): r"cannot be assumed by Lambda",
    ("lambda", "UpdateFunctionConfiguration"): r"cannot be assumed by Lambda",
    (
        "lambda",
        "CreateEventSourceMapping",
    ): r"does not have permissions to call|Cannot access stream|not authorized",
    ("lambda", "PutFunctionEventInvokeConfig"): r"does not have permissions to call",
    ("lambda", "AddPermission"): r"provided principal was invalid",
    (
        "stepfunctions",
        "CreateStateMachine",
    ): r"authorized to assume the provided role|authorized to access the Log",
    ("scheduler", "CreateSchedule"): r"must allow .* to assume the role",
    ("s3", "PutBucketPolicy"): r"Invalid principal in policy",
    ("logs", "CreateExportTask"): r"Please check if CloudWatch Logs has been granted permission",
    ("iam", "CreateRole"): r"Invalid principal in policy",
    ("iam", "UpdateAssumeRolePolicy"): r"Invalid principal in policy",
}


def install(client: BaseClient) -> None:
    """Let `client` repeat the calls of NOT_YET, every 2 s for up to a minute."""
    service = client.meta.service_model.service_name
    for listed_service, operation in NOT_YET:
        if listed_service == service:
            event = f"needs-retry.{client.meta.service_model.service_id.hyphenize()}.{operation}"
            client.meta.events.register_first(event, _pause_if_not_yet)


def _pause_if_not_yet(response: Any, operation: Any, attempts: int, **_: Any) -> float | None:
    """Seconds to wait before the call is sent again, or None to leave it to botocore."""
    if response is None or attempts * PAUSE_S > LONGEST_WAIT_S:
        return None
    message = response[1].get("Error", {}).get("Message") or ""
    service = operation.service_model.service_name
    return PAUSE_S if re.search(NOT_YET[service, operation.name], message) else None
