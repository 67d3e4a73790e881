"""Export tasks of CloudWatch Logs, which MiniStack lacks.

AWS: CloudWatch Logs API reference, "CreateExportTask", "DescribeExportTasks" and "CancelExportTask"; user
guide, "Exporting log data to Amazon S3".
"""

import json
from typing import Any

from ministack.core.responses import json_response
from ministack.services import cloudwatch_logs

from helpers.local import contract
from helpers.local.functions.refusal import Refused
from helpers.local.services.log_export import api


def install() -> None:
    parameters = ("method", "path", "headers", "body", "query_params")
    handle = contract.expect(cloudwatch_logs, "handle_request", parameters)

    async def handle_request(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any
    ) -> Any:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if operation not in api.OPERATIONS:
            return await handle(method, path, headers, body, query_params)
        try:
            return json_response(await api.OPERATIONS[operation](json.loads(body or b"{}"), headers))
        except Refused as refused:
            return refused.response()

    cloudwatch_logs.handle_request = handle_request
