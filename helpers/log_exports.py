"""Wait for an export task of CloudWatch Logs, for which boto3 has no waiter."""

from typing import Any

from helpers.waiting import wait_until

# CloudWatch Logs API reference, "ExportTaskStatus".
GOES_ON = ("PENDING", "RUNNING", "PENDING_CANCEL")


class NotExported(RuntimeError):
    """An export task ended without exporting everything; the message is that of CloudWatch Logs."""


def wait_for_export(logs: Any, task_id: str, timeout_s: float = 600.0) -> None:
    """Return when the task is COMPLETED. Raises NotExported, or NotObserved when it is not done in time."""
    status = wait_until(
        lambda: logs.describe_export_tasks(taskId=task_id)["exportTasks"][0]["status"],
        f"the end of export task {task_id}",
        lambda status: status["code"] not in GOES_ON,
        timeout_s,
        interval_s=0.2,
    )
    if status["code"] != "COMPLETED":
        raise NotExported(f"Export task {task_id} is {status['code']}: {status.get('message', '')}")
