"""One provisioned concurrency configuration: initialises environments ahead of any request.

AWS Lambda developer guide, "Configuring provisioned concurrency for a function".
"""

import logging
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from helpers.local.functions.environment import SandboxFailed
from helpers.local.functions.packages import PackageUnreadable
from helpers.local.functions.pool import EnvironmentPool
from helpers.local.functions.runtimes import RuntimeUnavailable
from helpers.local.functions.specification import FunctionVersion

logger = logging.getLogger("lambda.provisioning")

IN_PROGRESS = "IN_PROGRESS"
READY = "READY"
FAILED = "FAILED"
INIT_FAILURE = "FUNCTION_ERROR_INIT_FAILURE"


@dataclass
class ProvisionedConcurrency:
    """`requested` environments of one version; `available` of them have really initialised."""

    requested: int
    function: FunctionVersion
    available: int = 0
    status: str = IN_PROGRESS
    status_reason: str | None = None
    last_modified: datetime = field(default_factory=lambda: datetime.now(UTC))
    _withdrawn: bool = False
    _thread: threading.Thread | None = None

    def start(self, pool: EnvironmentPool, previous: "ProvisionedConcurrency | None" = None) -> None:
        """Initialise in the background, in the place of `previous`."""
        if previous is not None:
            previous._withdrawn = True
        self._thread = threading.Thread(
            target=self._replace, args=(pool, previous), name="lambda-provisioning", daemon=True
        )
        self._thread.start()

    def end(self, pool: EnvironmentPool) -> None:
        """End the environments; one that is just being initialised ends when it has."""
        self._withdrawn = True
        if self._thread is not None and self._thread.is_alive():
            threading.Thread(target=self._end_later, args=(pool,), daemon=True).start()
        else:
            pool.unprovision(self.function)

    def _end_later(self, pool: EnvironmentPool) -> None:
        self._join()
        pool.unprovision(self.function)

    def _join(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _replace(self, pool: EnvironmentPool, previous: "ProvisionedConcurrency | None") -> None:
        if previous is not None:
            previous._join()
            if previous.function.version == self.function.version:
                self.available = previous.available
            else:
                pool.unprovision(previous.function)
        try:
            self._provision(pool)
        except (RuntimeUnavailable, PackageUnreadable, SandboxFailed) as error:
            logger.warning("%s could not be provisioned: %s", self.function.arn, error)
            self._fail(str(error))

    def _provision(self, pool: EnvironmentPool) -> None:
        # One by one, so that what is available is known while it grows.
        for count in range(min(self.available + 1, self.requested), self.requested + 1):
            if self._withdrawn:
                return
            self.available, failed = pool.provision(self.function, count)
            if failed is not None:
                self._fail(INIT_FAILURE)
                return
        self.status = READY

    def _fail(self, reason: str) -> None:
        self.status, self.status_reason = FAILED, reason

    def document(self) -> dict[str, Any]:
        """As the API returns it."""
        reason = {"StatusReason": self.status_reason} if self.status_reason else {}
        return {
            "RequestedProvisionedConcurrentExecutions": self.requested,
            "AllocatedProvisionedConcurrentExecutions": self.available,
            "AvailableProvisionedConcurrentExecutions": self.available,
            "Status": self.status,
            "LastModified": f"{self.last_modified:%Y-%m-%dT%H:%M:%S}+0000",
            **reason,
        }
