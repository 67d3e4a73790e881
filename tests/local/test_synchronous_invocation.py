"""What a service learns when the function that it invokes does not run."""

import pytest

from helpers.local.functions.environment import SandboxFailed
from helpers.local.functions.packages import PackageUnreadable
from helpers.local.functions.pool import Throttled
from helpers.local.functions.runtimes import RuntimeUnavailable
from helpers.local.services import synchronous_invocation
from helpers.local.services.synchronous_invocation import FunctionMissing, FunctionUnusable, invoke_and_wait

ARN = "arn:aws:lambda:us-east-1:111122223333:function:validator"


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function without versions and aliases stands at the ARN."""
    record = {"config": {"FunctionArn": ARN}, "aliases": {}, "versions": {}}
    found = {ARN: record, f"{ARN}:live": record}
    monkeypatch.setattr(synchronous_invocation, "find", found.get)


@pytest.mark.usefixtures("function")
@pytest.mark.parametrize("arn", [f"{ARN}:live", f"{ARN}-of-another-name"])
def test_what_is_not_there_is_missing(arn: str) -> None:
    with pytest.raises(FunctionMissing, match=f"^{arn} does not exist$"):
        invoke_and_wait(arn, b"{}")


@pytest.mark.usefixtures("function")
@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (RuntimeUnavailable("no such runtime here"), FunctionUnusable),
        (PackageUnreadable("no zip file"), FunctionUnusable),
        (SandboxFailed("no process"), FunctionUnusable),
        (Throttled("ReservedFunctionConcurrentInvocationLimitExceeded"), Throttled),
    ],
)
def test_what_keeps_a_function_from_running_is_told(
    monkeypatch: pytest.MonkeyPatch, error: Exception, raised: type[Exception]
) -> None:
    def execute_record(record: object, payload: bytes) -> None:
        raise error

    monkeypatch.setattr(synchronous_invocation, "execute_record", execute_record)
    with pytest.raises(raised, match=f"^{error}$"):
        invoke_and_wait(ARN, b"{}")
