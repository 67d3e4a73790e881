"""The trace header that every invocation carries, and the loops that it gives away.

AWS Lambda developer guide, "Use Lambda recursive loop detection to prevent infinite loops": the
AWS SDKs pass the header of an invocation on to what the function calls, and Lambda stops a chain
in which one function has run about 16 times. Counted here exactly, for direct invocations.
"""

import hashlib
import secrets
import time
from dataclasses import dataclass

HEADER = "x-amzn-trace-id"
MOST_INVOCATIONS_IN_A_CHAIN = 16


class RecursiveLoop(Exception):
    """The function has already run as often in this chain of invocations as Lambda allows."""


@dataclass(frozen=True)
class Trace:
    """A trace header. `lineage` counts, for each function of the chain, how often it has run."""

    root: str
    parent: str
    sampled: bool
    lineage: dict[str, int]

    def __str__(self) -> str:
        fields = [f"Root={self.root}", f"Parent={self.parent}", f"Sampled={int(self.sampled)}"]
        if self.lineage:
            counts = "|".join(f"{function}:{count}" for function, count in self.lineage.items())
            fields.append(f"Lineage={counts}")
        return ";".join(fields)


def parse(header: str) -> Trace:
    """Read a header as the SDKs send it; what is missing in it is made up."""
    fields = dict(field.split("=", 1) for field in header.split(";") if "=" in field)
    lineage = {}
    for entry in fields.get("Lineage", "").split("|"):
        function, _, count = entry.rpartition(":")
        if function and count.isdigit():
            lineage[function] = int(count)
    return Trace(
        root=fields.get("Root") or _new_root(),
        parent=fields.get("Parent") or secrets.token_hex(8),
        sampled=fields.get("Sampled") == "1",
        lineage=lineage,
    )


def continued(header: str | None, function_arn: str, active: bool, loops_allowed: bool) -> Trace:
    """The trace of an invocation of `function_arn` by a caller that sent `header`.

    Raises RecursiveLoop when the function has run too often in this chain and its recursion
    configuration does not allow that.
    """
    trace = parse(header or "")
    function = hashlib.sha256(function_arn.encode()).hexdigest()[:8]
    count = trace.lineage.get(function, 0) + 1
    if count > MOST_INVOCATIONS_IN_A_CHAIN and not loops_allowed:
        raise RecursiveLoop
    return Trace(
        root=trace.root,
        parent=secrets.token_hex(8),
        sampled=trace.sampled or active,
        lineage={**trace.lineage, function: count},
    )


def _new_root() -> str:
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
