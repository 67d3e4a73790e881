"""Event source mappings: records of queues and streams handed to functions, as Lambda does it.

In place of MiniStack's pollers, which filter loosely, anchor LATEST at their first poll, take one
batch at a time across all streams, and ignore batch windows, limits of retries and age, bisection,
reports of failed items, destinations of discarded batches and the execution role.

AWS behaviour restored (developer guide, "How Lambda processes records from stream and queue-based
event sources", "Control which events Lambda sends to your function", and the pages of Amazon SQS,
Amazon Kinesis and Amazon DynamoDB as event sources): see the modules of this package. What is valid
on AWS and not done here is refused as NotImplementedException.
"""

from ministack.services import lambda_svc

from helpers.local import contract
from helpers.local.functions.refusal import refusing
from helpers.local.services.event_sources import api


def install() -> None:
    for name, parameters, replacement in (
        ("_create_esm", ("data",), api.create),
        ("_update_esm", ("esm_id", "data"), api.update),
        ("_delete_esm", ("esm_id",), api.delete),
        ("_get_esm", ("esm_id",), api.get),
        ("_list_esms", ("query_params",), api.list_all),
    ):
        contract.replace(lambda_svc, name, parameters, refusing(replacement))
    contract.replace(lambda_svc, "_ensure_poller", (), _leave_polling_to_the_engine)


def _leave_polling_to_the_engine() -> None:
    """The emulator would start its own poller when it has restored mappings."""
