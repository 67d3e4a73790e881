"""The AWS Price List is refused by name: the local AWS sells nothing, and a made-up price would mislead.

MiniStack answers every call to a service that it does not know with an error without code and message.

AWS: AWS Billing user guide, "Using the AWS Price List Query API".
"""

import json
from typing import Any

from ministack import app

from helpers.local import contract

SERVICE = "pricing"
Response = tuple[int, dict[str, str], bytes]


def install() -> None:
    contract.expect(app, "SERVICE_HANDLERS")
    if SERVICE in app.SERVICE_HANDLERS:
        raise contract.ContractBroken(
            f"MiniStack now has a service {SERVICE!r}: look at what it answers before it is replaced."
        )
    app.SERVICE_HANDLERS[SERVICE] = _refuse


async def _refuse(
    method: str, path: str, headers: dict[str, str], body: bytes, query_params: Any
) -> Response:
    call = headers.get("x-amz-target", "").rpartition(".")[2] or f"{method} {path}"
    answer = {
        "__type": "NotImplementedException",
        "message": f"The local AWS cannot do this: {call}. It has no Price List; prices are in "
        'data/prices.json, and target="aws" compares them with those of AWS.',
    }
    return 501, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(answer).encode()
