"""Events of Amazon EventBridge about changes of parameters.

AWS: EventBridge user guide, "Events from AWS services": Parameter Store Change; Systems Manager user guide,
"Monitoring or triggering actions based on Parameter Store events".
"""

import json
from typing import Any

from ministack.services import eventbridge, ssm

from helpers.local import contract

_put_events = contract.expect(eventbridge, "_put_events", ("data", "allow_aws_source"))
_parameters = contract.expect(ssm, "_parameters")


def announce(operation: str, name: str, record: dict[str, Any] | None = None) -> None:
    """`operation` is Create, Update, Delete or LabelParameterVersion. `record` is that of a parameter that is
    gone."""
    parameter = record or _parameters[name]
    detail = {"operation": operation, "name": name, "type": parameter["Type"]}
    if parameter.get("Description"):
        detail["description"] = parameter["Description"]
    event = {
        "Source": "aws.ssm",
        "DetailType": "Parameter Store Change",
        "Resources": [parameter["ARN"]],
        "Detail": json.dumps(detail),
    }
    _put_events({"Entries": [event]}, allow_aws_source=True)
