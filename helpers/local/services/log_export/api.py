"""The three operations on export tasks, of the account and Region of the current request.

AWS: CloudWatch Logs API reference, under their names; user guide, "CloudWatch Logs quotas": one active
task an account.
"""

import base64
import threading
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import cloudwatch_logs

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.services.log_export.destination import Destination, DestinationRefused
from helpers.local.services.log_export.request import ExportRequest, invalid
from helpers.local.services.log_export.tasks import ACTIVE, STATUSES, ExportTask

MAXIMUM_PAGE = 50

_log_groups = contract.expect(cloudwatch_logs, "_log_groups")
_tasks = AccountRegionScopedDict()
_creating = threading.Lock()


async def create_export_task(parameters: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    request = ExportRequest.of(parameters)
    group = _log_groups.get(request.log_group)
    request.check_group(group)
    _check_none_is_active()
    destination = Destination(
        request.bucket, request.prefix, request.log_group, get_account_id(), get_region()
    )
    try:
        await destination.check(extract_access_key_id(headers, {}))
    except DestinationRefused as error:
        raise invalid(str(error)) from error
    streams = {
        name: stream for name, stream in group["streams"].items() if name.startswith(request.log_streams)
    }
    with _creating:
        _check_none_is_active()
        task = ExportTask(str(uuid.uuid4()), request, destination, streams)
        _tasks[task.task_id] = task
    task.start()
    return {"taskId": task.task_id}


async def describe_export_tasks(parameters: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    """In reverse order of creation."""
    task_id, status = parameters.get("taskId"), parameters.get("statusCode")
    if status not in (None, *STATUSES):
        raise invalid(f"statusCode must be one of {', '.join(STATUSES)}, not {status}")
    limit = parameters.get("limit", MAXIMUM_PAGE)
    if not isinstance(limit, int) or not 1 <= limit <= MAXIMUM_PAGE:
        raise invalid(f"limit must be between 1 and {MAXIMUM_PAGE}, not {limit}")
    first = _position(parameters.get("nextToken"))
    found: list[ExportTask] = [
        task
        for task in reversed(_tasks.values())
        if task_id in (None, task.task_id) and status in (None, task.status)
    ]
    answer: dict[str, Any] = {"exportTasks": [task.described() for task in found[first : first + limit]]}
    if first + limit < len(found):
        answer["nextToken"] = base64.b64encode(str(first + limit).encode()).decode()
    return answer


async def cancel_export_task(parameters: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    task: ExportTask | None = _tasks.get(parameters.get("taskId"))
    if task is None:
        raise Refused("ResourceNotFoundException", "The specified export task does not exist.", 400)
    if not task.cancel():
        message = f"The specified export task has already ended: it is {task.status}"
        raise Refused("InvalidOperationException", message, 400)
    return {}


OPERATIONS: dict[str, Callable[[dict[str, Any], dict[str, str]], Awaitable[dict[str, Any]]]] = {
    "CreateExportTask": create_export_task,
    "DescribeExportTasks": describe_export_tasks,
    "CancelExportTask": cancel_export_task,
}


def _check_none_is_active() -> None:
    if any(task.status in ACTIVE for task in _tasks.values()):
        raise Refused("LimitExceededException", "Resource limit exceeded.", 400)


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except ValueError:
        raise invalid("nextToken must be what the previous page returned") from None
