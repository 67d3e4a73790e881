"""Which service, and what of it, an AWS integration calls.

Source: API Gateway API reference, "PutIntegration", uri:
`arn:aws:apigateway:{region}:{service}:action/{name}` or `...:path/{path}`.
"""

import re
from dataclasses import dataclass

_URI = re.compile(
    r"arn:aws:apigateway:(?P<region>[^:]*):(?P<service>[^:]+):(?P<kind>action|path)/(?P<target>.+)"
)
_FUNCTION = re.compile(
    r"/?2015-03-31/functions/(?P<arn>arn:[^:]+:lambda:[^:]+:[^:]+:function:.+)/invocations"
)


@dataclass(frozen=True)
class JsonService:
    """How a service wants its actions named, and in which version of the JSON protocol.

    API Gateway names the action to most services. To EventBridge it does not (`target_prefix` is
    None there): the integration has to map the header X-Amz-Target itself. `error_namespace` is what
    stands before `#` in the names of the service's own errors, None where that is not known.
    """

    target_prefix: str | None
    json_version: str
    error_namespace: str | None = None


JSON_SERVICES = {
    "dynamodb": JsonService("DynamoDB_20120810", "1.0", "com.amazonaws.dynamodb.v20120810"),
    "events": JsonService(None, "1.1"),
    "kinesis": JsonService("Kinesis_20131202", "1.1"),
    "states": JsonService("AWSStepFunctions", "1.0"),
}


class UriInvalid(ValueError):
    """Not the form of an AWS integration; the message is API Gateway's."""


@dataclass(frozen=True)
class IntegrationUri:
    """`kind` is "action" or "path", `target` the name of the action or the path without its slash."""

    region: str
    service: str
    kind: str
    target: str

    @property
    def function_arn(self) -> str | None:
        """The function, version or alias that is to be invoked, unless another service is meant."""
        match = _FUNCTION.fullmatch(self.target) if (self.service, self.kind) == ("lambda", "path") else None
        return match["arn"] if match else None

    @property
    def is_action(self) -> bool:
        """Whether the integration calls an action of a JSON service, which can be done here."""
        return self.kind == "action" and self.service in JSON_SERVICES

    @property
    def is_queue(self) -> bool:
        """Whether the integration sends requests of the Query protocol to a queue: `sqs:path/...`."""
        return (self.service, self.kind) == ("sqs", "path")


def parse(uri: str) -> IntegrationUri:
    """Raises UriInvalid."""
    match = _URI.fullmatch(uri)
    if match:
        return IntegrationUri(**match.groupdict())
    if not uri.startswith("arn:"):
        raise UriInvalid("Invalid ARN specified in the request")
    raise UriInvalid("AWS ARN for integration must contain path or action")
