"""The errors of an action as the service writes them, which no SDK reads before a template does.

Source: Amazon DynamoDB developer guide, "DynamoDB low-level API": an error's `__type` has a namespace, as in
`com.amazonaws.dynamodb.v20120810#ResourceNotFoundException`. The emulator leaves it out, as SDKs do.
"""

import json
from dataclasses import replace

from helpers.local.services.apigateway.execution import IntegrationReply
from helpers.local.services.apigateway.integration_uri import JsonService

# The framework of AWS's services answers these before the service itself does. They are in no reference;
# clients that read DynamoDB without an SDK know them.
_FRAMEWORK = {
    "AccessDeniedException": "com.amazon.coral.service",
    "InternalFailure": "com.amazon.coral.service",
    "SerializationException": "com.amazon.coral.service",
    "UnknownOperationException": "com.amazon.coral.service",
    "ThrottlingException": "com.amazon.coral.availability",
    "ValidationException": "com.amazon.coral.validate",
}
ACCESS_DENIED = "AccessDeniedException"
# What is answered before it is clear who is asking.
NOT_JSON = IntegrationReply(
    status=400,
    headers={"content-type": "application/x-amz-json-1.0"},
    body=json.dumps({"__type": f"{_FRAMEWORK['SerializationException']}#SerializationException"}).encode(),
    selection="400",
)


def as_written(service: JsonService, reply: IntegrationReply) -> IntegrationReply:
    """The reply with the namespace of its error, and the message of a denial where the framework puts it."""
    if reply.status < 400 or service.error_namespace is None:
        return reply
    error = json.loads(reply.body)
    name = error.get("__type", "InternalFailure")
    error["__type"] = f"{_FRAMEWORK.get(name, service.error_namespace)}#{name}"
    if name == ACCESS_DENIED and "message" in error:
        error["Message"] = error.pop("message")
    return replace(reply, body=json.dumps(error).encode())
