"""Integrations with Amazon SQS, which speak its Query protocol and want JSON back.

Source: developer guide, "Tutorial: Create a REST API with an AWS integration" for the form of the
integration; Amazon SQS developer guide, "Making Query API requests". The emulator answers in XML.
"""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

from helpers.local.services.apigateway.execution import (
    IntegrationReply,
    IntegrationRequest,
    configuration_error,
)

FORM = "application/x-www-form-urlencoded"
# The action whose answer is known in JSON, with the members that it always has.
ACTION = "SendMessage"
_MEMBERS = (
    "MD5OfMessageAttributes",
    "MD5OfMessageBody",
    "MD5OfMessageSystemAttributes",
    "MessageId",
    "SequenceNumber",
)


def check(request: IntegrationRequest) -> None:
    """Raises ExecutionFailed for what SQS would not understand, or is not answered here as by AWS."""
    form = dict(request.query)
    if request.headers.get("content-type", "").startswith(FORM):
        form |= parse_qs(request.body.decode(errors="replace"))
    actions = form.get("Action")
    if actions is None:
        raise configuration_error(
            "no Action for SQS, in the query string or in a form. SQS takes the body for a form when "
            f"integration.request.header.Content-Type is mapped to '{FORM}'"
        )
    if actions != [ACTION]:
        raise configuration_error(f"the local AWS integrates {ACTION} of SQS only, not {actions}")


def as_json(reply: IntegrationReply) -> IntegrationReply:
    root = ElementTree.fromstring(reply.body)
    document = _document(root)
    if reply.status < 400:
        result = document[f"{ACTION}Result"]
        document[f"{ACTION}Result"] = {name: result.get(name) for name in _MEMBERS}
        document = {f"{ACTION}Response": document}
    headers = reply.headers | {"content-type": "application/json"}
    return replace(reply, headers=headers, body=json.dumps(document).encode())


def _document(element: ElementTree.Element) -> dict[str, Any]:
    return {child.tag.rpartition("}")[2]: _document(child) if len(child) else child.text for child in element}
