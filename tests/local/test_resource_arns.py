"""One function a service says on which resource its requests are authorized."""

import pytest

from helpers.local.patches import resource_arns
from helpers.local.patches.resource_arns import Request


def test_a_service_has_one_function() -> None:
    """A second one would silently take the place of the first."""

    def arn_of(request: Request) -> str:
        return f"arn:aws:example:{request.region}:{request.account_id}:*"

    resource_arns.register("example", arn_of)
    with pytest.raises(ValueError, match="already says on which resource requests to example are authorized"):
        resource_arns.register("example", arn_of)
