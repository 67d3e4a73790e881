"""An HTTP API passes on what a function meant for the client, and never its errors.

AWS behaviour restored: a function that fails, that Lambda does not invoke because it is throttled, or whose
output the payload format does not allow, makes API Gateway answer 500 "Internal Server Error"; format 1.0
takes proxy answers only, while 2.0 takes other output for the body of a 200 (API Gateway developer guide,
"Create AWS Lambda proxy integrations for HTTP APIs in API Gateway", "Troubleshooting issues with HTTP API
Lambda integrations"). Past the integration's timeout the answer is 503 "Service Unavailable" (API reference,
"Integration", timeoutInMillis). The emulator sends the client the function's error with its stack trace,
Lambda's refusal, and malformed output as a success, and waits as long as the function runs.
"""

import contextvars
import functools
import json
import logging
from typing import Any

from ministack.services import apigateway, lambda_svc

from helpers.local import contract
from helpers.local.services.apigateway import proxy_output
from helpers.local.services.apigateway.time_limit import TimeIsUp, within

JSON = "application/json"
INTERNAL_ERROR = json.dumps({"message": "Internal Server Error"})
UNAVAILABLE = json.dumps({"message": "Service Unavailable"})
DEFAULT_TIMEOUT_MS = 30_000

logger = logging.getLogger("apigateway.execution")

# That of the integration being served, where functions are invoked by HTTP APIs.
_payload_format: contextvars.ContextVar[str | None] = contextvars.ContextVar(
    "http_api_payload_format", default=None
)


def install() -> None:
    invoke = contract.expect(apigateway, "_invoke_lambda_proxy")

    @functools.wraps(invoke)
    async def invoke_lambda_proxy(integration: dict[str, Any], *arguments: Any, **keywords: Any) -> Any:
        token = _payload_format.set(integration["payloadFormatVersion"])
        try:
            limit_s = (integration.get("timeoutInMillis") or DEFAULT_TIMEOUT_MS) / 1000
            return await within(limit_s, invoke(integration, *arguments, **keywords))
        except TimeIsUp as error:
            logger.warning("Execution failed: %s", error)
            return 503, {"Content-Type": JSON}, UNAVAILABLE.encode()
        finally:
            _payload_format.reset(token)

    apigateway._invoke_lambda_proxy = invoke_lambda_proxy
    shape = contract.expect(lambda_svc, "lambda_execute_result_to_api_proxy_response", ("exec_result",))

    @functools.wraps(shape)
    def proxy_response(exec_result: dict[str, Any]) -> Any:
        """Load balancers, function URLs and WebSocket APIs ask for it too."""
        payload_format = _payload_format.get()
        return shape(exec_result) if payload_format is None else (_answer(exec_result, payload_format), None)

    lambda_svc.lambda_execute_result_to_api_proxy_response = proxy_response


def _answer(result: dict[str, Any], payload_format: str) -> dict[str, Any]:
    output = result.get("body")
    try:
        if result.get("error"):
            raise proxy_output.Malformed(f"the function failed or was throttled: {output!r:.200}")
        if payload_format == "2.0" and not (isinstance(output, dict) and "statusCode" in output):
            return {"statusCode": 200, "body": output if isinstance(output, str) else json.dumps(output)}
        return proxy_output.checked(output)
    except proxy_output.Malformed as error:
        logger.warning("Execution failed: %s", error)
        return {"statusCode": 500, "body": INTERNAL_ERROR}
