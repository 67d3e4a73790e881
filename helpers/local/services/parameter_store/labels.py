"""Labels of versions.

AWS: Systems Manager user guide, "Working with parameter labels"; API reference, "LabelParameterVersion".
"""

import re
from typing import Any

from ministack.services import ssm

from helpers.local import contract
from helpers.local.functions.refusal import Refused

MAXIMUM_LABELS = 10
_LABEL = re.compile(r"(?!aws|ssm|[0-9])[A-Za-z0-9._-]{1,100}", re.IGNORECASE)

_history = contract.expect(ssm, "_parameter_history")


def sorted_out(data: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The valid and the invalid labels of a LabelParameterVersion request."""
    valid = [label for label in data["Labels"] if _LABEL.fullmatch(label)]
    return valid, [label for label in data["Labels"] if label not in valid]


def check(data: dict[str, Any]) -> None:
    """Raises ParameterVersionLabelLimitExceeded."""
    history = _history.get(data.get("Name")) or []
    wanted = data.get("ParameterVersion") or (history[-1]["Version"] if history else None)
    version = next((entry for entry in history if entry["Version"] == wanted), None)
    valid, _ = sorted_out(data)
    if version is not None and len({*version["Labels"], *valid}) > MAXIMUM_LABELS:
        raise Refused(
            "ParameterVersionLabelLimitExceeded",
            f"A parameter version can have maximum {MAXIMUM_LABELS} labels. Move one or more labels to "
            "another version and try again.",
            400,
        )
