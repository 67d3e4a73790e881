"""A Workshop on the local AWS of the test run."""

from collections.abc import Callable, Iterator

import pytest

from helpers.ledger import Ledger
from helpers.local_aws import LocalAws
from helpers.workshop import ENDPOINT_VARIABLE, Workshop


@pytest.fixture
def workshop(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workshop]:
    """A run on the shared local AWS, cleaned up afterwards."""
    monkeypatch.setenv(ENDPOINT_VARIABLE, local_aws.endpoint_url)
    ws = Workshop("00")
    yield ws
    ws.cleanup()


@pytest.fixture
def ledger_of() -> Callable[[Workshop], Ledger]:
    """`ledger_of(ws)`: what another process reads in the ledger of a run."""

    def read(ws: Workshop) -> Ledger:
        ledger = Ledger.read(ws.ledger_path)
        assert ledger is not None
        return ledger

    return read
