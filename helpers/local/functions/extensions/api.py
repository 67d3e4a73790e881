"""Lambda's Extensions API for one execution environment: who is registered, and who waits for an event.

Source of the rules: AWS Lambda developer guide, "Using the Lambda Extensions API to create extensions";
the error types and messages are those of AWS's own Runtime Interface Emulator. The Telemetry API and
its predecessor, the Logs API, do not exist here and are refused.
"""

import contextlib
import json
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from helpers.local.functions.outcome import Invocation
from helpers.local.functions.report import ExtensionStatus
from helpers.local.functions.runtime_api import Request
from helpers.local.functions.specification import FunctionVersion

INVOKE, SHUTDOWN = "INVOKE", "SHUTDOWN"
# Developer guide, "Init phase": up to 10 extensions for a function.
MOST_EXTENSIONS = 10

_PREFIX = "/2020-01-01/extension/"
_TELEMETRY_PREFIXES = ("/2022-07-01/telemetry", "/2020-08-15/logs")
_ERRORS = {
    "init/error": ("InitError", "Extension.InitError"),
    "exit/error": ("ExitError", "Extension.ExitError"),
}


class _Forbidden(Exception):
    """A request that the API refuses with status 403."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


@dataclass(eq=False)
class _Extension:
    """`waiting` is its request for the next event, as long as that is not answered."""

    name: str
    external: bool
    identifier: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "Started"
    events: tuple[str, ...] = ()
    error_type: str | None = None
    fatal_error_type: str | None = None
    waiting: Request | None = None
    ended: bool = False

    def check_transition(self, target: str, allowed: tuple[str, ...]) -> None:
        if self.state not in allowed:
            raise _Forbidden(
                "Extension.InvalidExtensionState",
                f"State transition from {self.state} to {target} failed for extension {self.name}. "
                "Error: State transition is not allowed",
            )


class Extensions:
    """The extensions of one environment, from their start to its end.

    `external_names` are the files of /opt/extensions; whoever else registers is an internal extension.
    """

    def __init__(self, function: FunctionVersion, external_names: tuple[str, ...]) -> None:
        self._function = function
        self._all = [_Extension(name, external=True) for name in external_names]
        self._shutdown_event: dict[str, Any] | None = None
        self.registration_is_open = True

    # What the environment wants to know

    @property
    def any_registered(self) -> bool:
        return any(extension.state != "Started" for extension in self._all)

    @property
    def any_external(self) -> bool:
        return any(extension.external for extension in self._all)

    @property
    def all_registered(self) -> bool:
        """Whether every external extension has registered, upon which the runtime is started."""
        return all(extension.state != "Started" for extension in self._all)

    @property
    def all_waiting(self) -> bool:
        """Whether every extension waits for its next event."""
        return all(extension.waiting is not None for extension in self._all)

    @property
    def any_to_end(self) -> bool:
        """Whether an extension that was told to shut down still runs."""
        return any(SHUTDOWN in extension.events and not extension.ended for extension in self._all)

    def statuses(self) -> list[ExtensionStatus]:
        return [ExtensionStatus(each.name, each.state, each.events, each.error_type) for each in self._all]

    # What happens to the processes

    def note_launch_failure(self, name: str, error_type: str) -> None:
        extension = self._named(name)
        extension.state, extension.error_type, extension.ended = "LaunchError", error_type, True

    def note_end(self, name: str) -> str:
        """An extension's process has ended. Returns the error type by which Lambda reports it."""
        extension = self._named(name)
        extension.ended, extension.waiting = True, None
        return extension.fatal_error_type or "Extension.Crash"

    # Events

    def send_invoke(self, invocation: Invocation, deadline_ms: int) -> None:
        event: dict[str, Any] = {
            "eventType": INVOKE,
            "deadlineMs": deadline_ms,
            "requestId": invocation.request_id,
            "invokedFunctionArn": invocation.function_arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id or ""},
        }
        for extension in self._all:
            if INVOKE in extension.events:
                self._send(extension, event)

    def send_shutdown(self, reason: str, deadline_ms: int) -> None:
        """To each external extension that registered for it, now or when it asks for its next event."""
        self._shutdown_event = {"eventType": SHUTDOWN, "deadlineMs": deadline_ms, "shutdownReason": reason}
        for extension in self._all:
            if SHUTDOWN in extension.events and extension.waiting is not None:
                self._send(extension, self._shutdown_event)

    def _send(self, extension: _Extension, event: dict[str, Any]) -> None:
        request, extension.waiting = extension.waiting, None
        extension.state = "Running"
        assert request is not None
        headers = {
            "Lambda-Extension-Identifier": extension.identifier,
            "Lambda-Extension-Event-Identifier": str(uuid.uuid4()),
        }
        # Of an extension that is gone its process tells.
        with contextlib.suppress(OSError):
            request.connection.answer(200, headers, json.dumps(event).encode())

    # Requests

    def handle(self, request: Request) -> bool:
        """Answer a request of this API, or keep it for the next event; False when it is of another one."""
        if request.path.startswith(_TELEMETRY_PREFIXES):
            request.connection.refuse(
                HTTPStatus.NOT_IMPLEMENTED,
                "Telemetry.NotSupported",
                "The local AWS has no Telemetry API and no Logs API: an extension cannot receive logs here.",
            )
            return True
        if not request.path.startswith(_PREFIX):
            return False
        action = request.path.removeprefix(_PREFIX)
        try:
            if (request.method, action) == ("POST", "register"):
                self._register(request)
            elif (request.method, action) == ("GET", "event/next"):
                self._keep(request)
            elif request.method == "POST" and action in _ERRORS:
                self._note_error(request, *_ERRORS[action])
            else:
                request.connection.refuse(404, "NotFound", f"{request.method} {request.path} does not exist")
        except _Forbidden as forbidden:
            request.connection.refuse(403, forbidden.error_type, str(forbidden))
        return True

    def _register(self, request: Request) -> None:
        name = request.headers.get("lambda-extension-name", "")
        if not name:
            raise _Forbidden("Extension.InvalidExtensionName", "Empty extension name")
        events = _registered_events(request.body)
        extension = next((each for each in self._all if each.name == name), None)
        for event in events:
            _check_event(event, external=extension is not None and extension.external)
        if extension is None:
            extension = self._new_internal(name)
        elif not extension.external:
            raise _Forbidden("Extension.InvalidExtensionState", "Extension with this name already registered")
        extension.check_transition("Registered", ("Started",))
        extension.state = "Registered"
        extension.events = tuple(event for event in (INVOKE, SHUTDOWN) if event in events)
        document = {
            "functionName": self._function.name,
            "functionVersion": self._function.version,
            "handler": self._function.handler,
        }
        features = request.headers.get("lambda-extension-accept-feature", "").split(",")
        if "accountId" in (feature.strip() for feature in features):
            document["accountId"] = self._function.account_id
        headers = {"Lambda-Extension-Identifier": extension.identifier}
        request.connection.answer(200, headers, json.dumps(document).encode())

    def _new_internal(self, name: str) -> _Extension:
        if not self.registration_is_open:
            raise _Forbidden("Extension.RegistrationClosed", "Extension registration closed already")
        if len(self._all) >= MOST_EXTENSIONS:
            raise _Forbidden("Extension.TooManyExtensions", f"Extension limit ({MOST_EXTENSIONS}) reached")
        extension = _Extension(name, external=False)
        self._all.append(extension)
        return extension

    def _keep(self, request: Request) -> None:
        extension = self._identified(request)
        extension.check_transition("Ready", ("Registered", "Running"))
        extension.state, extension.waiting = "Ready", request
        if self._shutdown_event is not None and SHUTDOWN in extension.events:
            self._send(extension, self._shutdown_event)

    def _note_error(self, request: Request, state: str, fatal_error_type: str) -> None:
        """Only the end of the process that follows it ends the environment, as on Lambda."""
        extension = self._identified(request)
        error_type = request.headers.get("lambda-extension-function-error-type", "")
        if not error_type:
            raise _Forbidden("Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found")
        extension.check_transition(state, ("Registered", "Ready", "Running"))
        extension.state, extension.error_type, extension.waiting = state, error_type, None
        extension.fatal_error_type = fatal_error_type
        request.connection.accept()

    def _identified(self, request: Request) -> _Extension:
        identifier = request.headers.get("lambda-extension-identifier", "")
        if not identifier:
            raise _Forbidden(
                "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"
            )
        try:
            normal = str(uuid.UUID(identifier))
        except ValueError:
            raise _Forbidden(
                "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier"
            ) from None
        found = next((each for each in self._all if each.identifier == normal), None)
        if found is None:
            raise _Forbidden("Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")
        return found

    def _named(self, name: str) -> _Extension:
        return next(extension for extension in self._all if extension.name == name)


def _registered_events(body: bytes) -> list[str]:
    try:
        document = json.loads(body or b"{}")
        events = document.get("events") or []
        well_formed = isinstance(events, list) and all(isinstance(event, str) for event in events)
    except (ValueError, AttributeError) as error:
        raise _Forbidden("InvalidRequestFormat", f"The body is not a JSON object: {error}") from None
    if not well_formed:
        raise _Forbidden("InvalidRequestFormat", "events: expected an array of INVOKE and SHUTDOWN")
    return list(events)


def _check_event(event: str, external: bool) -> None:
    if event == SHUTDOWN and not external:
        raise _Forbidden(
            "Extension.InvalidEventType", f"{event}: ShutdownEventNotSupportedForInternalExtension"
        )
    if event not in (INVOKE, SHUTDOWN):
        raise _Forbidden("Extension.InvalidEventType", f"{event}: InvalidEventType")
