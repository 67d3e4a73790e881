"""Note in the ledger what a boto3 client creates; refuse what could not be deleted again.

Handlers on the client's own events do it, so notebooks call plain boto3. A call that only reads,
or that only changes or fills what this run created, costs one look into the table.
"""

from typing import Any

from botocore.client import BaseClient
from botocore.model import OperationModel

from helpers import inverses
from helpers.inverses import Call
from helpers.ledger import Entry, Ledger

REQUEST = "workshop_request"
ENTRY = "workshop_ledger_entry"


class CallRefused(RuntimeError):
    """A call was not sent, because cleaning up could not undo it."""


class UnknownCreatingCall(CallRefused):
    """The call may create something, and the table does not say how to delete it."""


class NotOfThisRun(CallRefused):
    """The call creates something that would not carry the run's id, or changes what this run did not make."""


class Recorder:
    """Connects the clients of one run with its ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def watch(self, client: BaseClient, account_id: str, region: str) -> None:
        """Note every creating call of `client`, which acts in `account_id` and `region`.

        The client itself would not do: those of global services have a Region of their own.
        """

        def keep_request(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
            context[REQUEST] = params

        def before_call(model: OperationModel, context: dict[str, Any], **_: Any) -> None:
            entry = self._check(model, context.get(REQUEST, {}), account_id, region)
            if entry is not None:
                context[ENTRY] = entry

        def after_call(http_response: Any, parsed: Any, context: dict[str, Any], **_: Any) -> None:
            if ENTRY in context:
                self._conclude(context[ENTRY], context[REQUEST], http_response.status_code, parsed)

        events = client.meta.events
        # Last, so that the request is complete, with the tokens that botocore adds.
        events.register_last("before-parameter-build", keep_request)
        events.register_last("before-call", before_call)
        events.register_last("after-call", after_call)

    def _check(
        self, model: OperationModel, request: dict[str, Any], account_id: str, region: str
    ) -> Entry | None:
        """Refuse the call, or let it pass, after noting it when it creates something by itself."""
        service = model.service_model.service_name
        call = inverses.table(service).find(model.name)
        if call is None:
            self._check_by_verb(service, model.name, request)
        elif call.refused:
            raise CallRefused(f"{service}.{model.name} was not sent: {call.refused}.")
        elif call.part_of:
            self._check_whole(call, model.name, request)
        elif call.creates:
            identity = self._marked_identity(call, request)
            return self._ledger.intend(service, model.name, account_id, region, identity)
        return None

    def _check_by_verb(self, service: str, operation: str, request: dict[str, Any]) -> None:
        if inverses.needs_row(operation):
            raise UnknownCreatingCall(
                f"{service}.{operation} was not sent: it may create something, and no way to delete that is "
                f"known. Add {operation} to helpers/inverses/{service}.toml; "
                "helpers/inverses/__init__.py explains how."
            )
        if inverses.changes(operation) and not self._ledger.marks.carried_by(request):
            raise NotOfThisRun(
                f"{service}.{operation} was not sent: it would change something that run "
                f"{self._ledger.run.run_id} did not create, and cleaning up could not change it back."
            )

    def _check_whole(self, call: Call, operation: str, request: dict[str, Any]) -> None:
        assert call.part_of is not None
        whole = inverses.search(call.part_of, {"request": request})
        named = whole if isinstance(whole, list) else [whole]
        if not named or not all(self._ledger.marks.carried_by(name) for name in named):
            raise NotOfThisRun(
                f"{call.service}.{operation} was not sent: it adds to {call.part_of}, here {whole!r}, which "
                f"run {self._ledger.run.run_id} did not create, and so would not delete."
            )

    def _marked_identity(self, call: Call, request: dict[str, Any]) -> dict[str, Any] | None:
        identity = inverses.pick(call.identity, {"request": request}) if call.identity else None
        marked = inverses.search(call.marked, {"request": request}) if call.marked else identity
        if not self._ledger.marks.carried_by(marked):
            where = call.marked or ", ".join(call.identity.values())
            raise NotOfThisRun(
                f"{call.service}.{call.operation} was not sent: {where} has to carry the run's id "
                f"{self._ledger.run.run_id}, so that it is found again. Use ws.name(...) or ws.tags."
            )
        return identity

    def _conclude(self, entry: Entry, request: dict[str, Any], status_code: int, parsed: Any) -> None:
        if status_code >= 300:
            self._ledger.fail(entry, str(parsed.get("Error", {}).get("Code", status_code)))
            return
        call = entry.call
        exchange = {"request": request, "response": parsed}
        identity = inverses.pick(call.identity, exchange) if call.identity else None
        self._ledger.succeed(entry, identity)
