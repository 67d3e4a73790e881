"""One rotation of a secret: the four calls of its function.

AWS: Secrets Manager user guide, "Lambda rotation functions" (steps and event) and "Lambda rotation function
execution role permissions"; "DescribeSecret": when rotation fails, Secrets Manager retries the entire
process multiple times. AWS does not say how often and when. Here it is retried as Lambda retries an
asynchronous event, twice, with the same shortened waits.
"""

import json
import logging
import threading
import time
import uuid
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import secretsmanager

from helpers.local import contract
from helpers.local.functions.asynchronous import RETRY_WAITS_S, retry_speedup
from helpers.local.functions.invocation_rights import InvocationDenied, Invoker, check_invoker
from helpers.local.functions.pool import Throttled
from helpers.local.services.synchronous_invocation import FunctionMissing, FunctionUnusable, invoke_and_wait

SERVICE = "secretsmanager.amazonaws.com"
TEST_STEP = "testSecret"
STEPS = ("createSecret", "setSecret", TEST_STEP, "finishSecret")
CURRENT = "AWSCURRENT"
PENDING = "AWSPENDING"

logger = logging.getLogger("secretsmanager.rotation")

_secrets = contract.expect(secretsmanager, "_secrets")
_version_of_stage = contract.expect(secretsmanager, "_find_stage_version", ("secret", "stage"))
_remove_everywhere = contract.expect(
    secretsmanager, "_remove_stage_everywhere", ("secret", "stage", "except_version_id")
)
_running: dict[str, "Rotation"] = {}
_starting = threading.Lock()


class StepFailed(Exception):
    """A step of the rotation did not succeed."""


class Rotation:
    """Of one secret of the account and Region of the current request.

    `secret` is the emulator's record. With `steps` other than all four it is a test of the configuration:
    done once, and the pending version is removed again.
    """

    def __init__(self, secret: dict[str, Any], token: str, steps: tuple[str, ...] = STEPS) -> None:
        self.token = token
        self._secret = secret
        self._steps = steps
        self._scope = (get_account_id(), get_region())
        self._cancelled = threading.Event()

    def start(self) -> None:
        """Nothing happens when a rotation of this secret is running."""
        with _starting:
            if self._secret["ARN"] in _running:
                return
            _running[self._secret["ARN"]] = self
        if self.token not in self._secret["Versions"]:
            # Of the rotation before, whose function may have left the label where AWSCURRENT is.
            _remove_everywhere(self._secret, PENDING)
            # The function's first step gives it a value.
            self._secret["Versions"][self.token] = {
                "SecretString": None,
                "SecretBinary": None,
                "CreatedDate": int(time.time()),
                "Stages": [PENDING],
            }
        threading.Thread(target=self._run, name="secret-rotation", daemon=True).start()

    def cancel(self) -> None:
        """No further step is called. A step that is running is not interrupted."""
        self._cancelled.set()
        self._forget()

    def _run(self) -> None:
        try:
            with request_scope(*self._scope):
                if self._steps == STEPS:
                    self._rotate()
                else:
                    self._test()
        finally:
            self._forget()

    def _forget(self) -> None:
        """Another rotation of the secret may start."""
        with _starting:
            if _running.get(self._secret["ARN"]) is self:
                del _running[self._secret["ARN"]]

    def _is_over(self) -> bool:
        gone = _secrets.get(self._secret["Name"]) is not self._secret
        return gone or bool(self._secret.get("DeletedDate")) or self._cancelled.is_set()

    def _rotate(self) -> None:
        for wait_s in (0.0, *RETRY_WAITS_S):
            if self._cancelled.wait(wait_s / retry_speedup()):
                return
            if self._attempt():
                break
        else:
            return
        pending, current = pending_version(self._secret), _version_of_stage(self._secret, CURRENT)[0]
        if pending is None and current == self.token:
            self._secret["LastRotatedDate"] = time.time()

    def _test(self) -> None:
        self._attempt()
        self._secret["Versions"].pop(self.token, None)

    def _attempt(self) -> bool:
        """All steps in their order. Returns whether all of them succeeded."""
        rotation_token = str(uuid.uuid4())
        for step in self._steps:
            if self._is_over():
                return False
            try:
                self._call(step, rotation_token)
            except (StepFailed, InvocationDenied, FunctionMissing, Throttled) as failure:
                logger.warning("rotation of %s failed in %s: %s", self._secret["Name"], step, failure)
                return False
            except FunctionUnusable as failure:
                logger.warning("the function that rotates %s cannot run: %s", self._secret["Name"], failure)
                return False
        return True

    def _call(self, step: str, rotation_token: str) -> None:
        arn = self._secret["RotationLambdaARN"]
        check_invoker(arn, invoker_of(self._secret))
        event = {
            "Step": step,
            "SecretId": self._secret["ARN"],
            "ClientRequestToken": self.token,
            "RotationToken": rotation_token,
        }
        result = invoke_and_wait(arn, json.dumps(event).encode())
        if result.function_error is not None:
            raise StepFailed(result.payload.decode(errors="replace"))


def invoker_of(secret: dict[str, Any]) -> Invoker:
    return Invoker(SERVICE, secret["ARN"], secret["ARN"].split(":")[4])


def pending_version(secret: dict[str, Any]) -> str | None:
    """The version of a rotation that has not come to its end, if there is one."""
    pending, version = _version_of_stage(secret, PENDING)
    return None if version is None or CURRENT in version["Stages"] else str(pending)


def running_rotation(secret: dict[str, Any]) -> Rotation | None:
    return _running.get(secret["ARN"])
