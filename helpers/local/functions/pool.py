"""The execution environments of all functions: which are free, how many are busy, when to end one.

An environment serves one invocation at a time and one revision of a function for all its life.
"""

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

from helpers.local.functions.environment import ExecutionEnvironment, InitOutcome
from helpers.local.functions.factory import ON_DEMAND, PROVISIONED_CONCURRENCY, EnvironmentFactory
from helpers.local.functions.specification import FunctionVersion

# AWS states no figure; idle environments were seen to live for some minutes.
IDLE_LIFETIME_S = 300.0
REAP_INTERVAL_S = 1.0
# Lambda quotas: concurrent executions of an account in a Region, all functions together.
ACCOUNT_CONCURRENCY = 1000

FunctionKey = tuple[str, str, str]
RevisionKey = tuple[str, str, str, str, str]


class Throttled(Exception):
    """No concurrency is left for an invocation. `reason` is the Reason of TooManyRequestsException."""

    def __init__(self, reason: str) -> None:
        super().__init__("Rate Exceeded.")
        self.reason = reason


@dataclass(eq=False)
class Lease:
    """One environment in the hands of one invocation, or no environment yet."""

    function: FunctionVersion
    environment: ExecutionEnvironment | None
    provisioned: bool
    concurrent_executions: int


@dataclass(eq=False)
class _Provisioned:
    """Environments that were initialised ahead of any request."""

    environments: list[ExecutionEnvironment] = field(default_factory=list)
    free: deque[ExecutionEnvironment] = field(default_factory=deque)
    busy: int = 0


class EnvironmentPool:
    """Hands out environments and counts concurrency. All methods may be called from any thread."""

    def __init__(self, factory: EnvironmentFactory, idle_lifetime_s: float = IDLE_LIFETIME_S) -> None:
        self._factory = factory
        self._idle_lifetime_s = idle_lifetime_s
        self._lock = threading.Lock()
        self._free: defaultdict[RevisionKey, deque[ExecutionEnvironment]] = defaultdict(deque)
        self._busy: defaultdict[FunctionKey, int] = defaultdict(int)
        self._provisioned: dict[RevisionKey, _Provisioned] = {}
        self._current: dict[tuple[FunctionKey, str], str] = {}
        threading.Thread(target=self._reap_forever, name="lambda-reaper", daemon=True).start()

    # Invocations

    def acquire(self, function: FunctionVersion, reserved_concurrency: int | None) -> Lease:
        """Take a free environment, or the right to start one. Raises Throttled.

        Provisioned environments go first; beyond them an invocation spills over to on-demand ones.
        """
        stale = self._retire_other_revisions(function)
        self._close(stale)
        with self._lock:
            self._count_in(function.function_key, reserved_concurrency)
            concurrent = self._busy[function.function_key]
            provisioned = self._provisioned.get(function.revision_key)
            if provisioned is not None and provisioned.free:
                provisioned.busy += 1
                return Lease(function, provisioned.free.popleft(), True, concurrent)
            free = self._free.get(function.revision_key)
            # The one used last is the one whose memory is warmest, and lets others become idle.
            environment = free.pop() if free else None
            return Lease(function, environment, False, concurrent)

    def release(self, lease: Lease, reusable: bool) -> None:
        """End an invocation. An environment that cannot be used again is ended."""
        environment = lease.environment
        with self._lock:
            key = lease.function.function_key
            self._busy[key] -= 1
            if not self._busy[key]:
                del self._busy[key]
            provisioned = self._provisioned.get(lease.function.revision_key) if lease.provisioned else None
            if provisioned is not None:
                provisioned.busy -= 1
            if environment is None:
                return
            if not reusable:
                kept = False
            elif lease.provisioned:
                kept = provisioned is not None
                if provisioned is not None:
                    provisioned.free.append(environment)
            else:
                kept = self._is_current(lease.function)
                if kept:
                    self._free[lease.function.revision_key].append(environment)
            if not kept and provisioned is not None:
                provisioned.environments.remove(environment)
        if not kept:
            environment.close()
            if provisioned is not None:
                self._replace_provisioned(lease.function, provisioned)

    def _replace_provisioned(self, function: FunctionVersion, provisioned: _Provisioned) -> None:
        """Lambda keeps the configured number of environments ready, whatever happens to one of them."""
        count = len(provisioned.environments) + 1
        threading.Thread(target=self.provision, args=(function, count), daemon=True).start()

    def create(self, function: FunctionVersion, initialization_type: str = ON_DEMAND) -> ExecutionEnvironment:
        """A new environment for a lease; not initialised, and not known to the pool yet."""
        return self._factory.create(function, initialization_type)

    def concurrent_executions(self, account_id: str, region: str) -> int:
        """Invocations that run now in one account and Region."""
        with self._lock:
            return sum(count for key, count in self._busy.items() if key[:2] == (account_id, region))

    # Provisioned concurrency

    def provision(self, function: FunctionVersion, count: int) -> tuple[int, InitOutcome | None]:
        """Bring the initialised environments of a version to `count`, more or fewer.

        Blocks until they have initialised. Returns how many there are and the first failure.
        """
        key = function.revision_key
        with self._lock:
            provisioned = self._provisioned.setdefault(key, _Provisioned())
            surplus = []
            while len(provisioned.environments) > count and provisioned.free:
                environment = provisioned.free.pop()
                provisioned.environments.remove(environment)
                surplus.append(environment)
            missing = count - len(provisioned.environments)
        self._close(surplus)
        for _ in range(missing):
            environment = self.create(function, PROVISIONED_CONCURRENCY)
            outcome = environment.initialise()
            if outcome.failure is not None or outcome.report.status != "success":
                environment.close()
                return self._provisioned_count(key), outcome
            environment.freeze()
            with self._lock:
                wanted = self._provisioned.get(key) is provisioned
                if wanted:
                    provisioned.environments.append(environment)
                    provisioned.free.append(environment)
            if not wanted:
                # The configuration, or the function, went while this environment initialised.
                environment.close()
                break
        return self._provisioned_count(key), None

    def unprovision(self, function: FunctionVersion) -> None:
        """End the initialised environments of a version; a busy one ends with its invocation."""
        with self._lock:
            provisioned = self._provisioned.pop(function.revision_key, None)
            doomed = list(provisioned.free) if provisioned else []
        self._close(doomed)

    def provisioned_utilization(self, function: FunctionVersion) -> float | None:
        """Busy part of the provisioned environments, 0 to 1; None when there are none."""
        with self._lock:
            provisioned = self._provisioned.get(function.revision_key)
            if provisioned is None or not provisioned.environments:
                return None
            return provisioned.busy / len(provisioned.environments)

    # Ending environments

    def discard(self, function_key: FunctionKey, version: str | None = None) -> None:
        """End the idle environments of a function, or of one version; busy ones end when released."""
        with self._lock:
            doomed: list[ExecutionEnvironment] = []
            for key in [key for key in self._free if key[:3] == function_key]:
                if version is None or key[3] == version:
                    doomed += self._free.pop(key)
            for key in [key for key in self._provisioned if key[:3] == function_key]:
                if version is None or key[3] == version:
                    doomed += self._provisioned.pop(key).free
            for current in [each for each in self._current if each[0] == function_key]:
                if version is None or current[1] == version:
                    del self._current[current]
        self._close(doomed)

    def discard_all(self) -> None:
        with self._lock:
            doomed = [environment for free in self._free.values() for environment in free]
            doomed += [each for provisioned in self._provisioned.values() for each in provisioned.free]
            self._free.clear()
            self._provisioned.clear()
            self._current.clear()
        self._close(doomed)

    def _count_in(self, key: FunctionKey, reserved_concurrency: int | None) -> None:
        if reserved_concurrency is not None and self._busy.get(key, 0) >= reserved_concurrency:
            raise Throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
        in_region = sum(count for each, count in self._busy.items() if each[:2] == key[:2])
        if in_region >= ACCOUNT_CONCURRENCY:
            raise Throttled("ConcurrentInvocationLimitExceeded")
        self._busy[key] += 1

    def _is_current(self, function: FunctionVersion) -> bool:
        return self._current.get((function.function_key, function.version)) == function.revision

    def _retire_other_revisions(self, function: FunctionVersion) -> list[ExecutionEnvironment]:
        """Code or configuration has changed: what serves the revision before is of no use any more."""
        with self._lock:
            if self._is_current(function):
                return []
            self._current[(function.function_key, function.version)] = function.revision
            retired: list[ExecutionEnvironment] = []
            for key in [key for key in self._free if key[:4] == function.revision_key[:4]]:
                if key != function.revision_key:
                    retired += self._free.pop(key)
            return retired

    def _provisioned_count(self, key: RevisionKey) -> int:
        with self._lock:
            provisioned = self._provisioned.get(key)
            return len(provisioned.environments) if provisioned else 0

    def _reap_forever(self) -> None:
        while True:
            time.sleep(REAP_INTERVAL_S)
            oldest_s = time.monotonic() - self._idle_lifetime_s
            idle = []
            with self._lock:
                for key in list(self._free):
                    free = self._free[key]
                    while free and free[0].last_used_s < oldest_s:
                        idle.append(free.popleft())
                    if not free:
                        del self._free[key]
            self._close(idle)

    def _close(self, environments: list[ExecutionEnvironment]) -> None:
        # Outside the lock: the kernel needs a moment to end a process.
        for environment in environments:
            environment.close()
