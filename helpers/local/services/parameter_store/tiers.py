"""Standard, advanced and intelligent-tiering parameters.

AWS: Systems Manager user guide, "Managing parameter tiers", "Assigning parameter policies".
"""

from typing import Any

from helpers.local.functions.refusal import Refused, not_implemented
from helpers.local.services.parameter_store.names import constraint_broken, validation_error

STANDARD, ADVANCED, INTELLIGENT = "Standard", "Advanced", "Intelligent-Tiering"
LARGEST_BYTES = {STANDARD: 4096, ADVANCED: 8192}
_GUIDE = (
    "For more information, see "
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
)


def tier_of(data: dict[str, Any], existing: dict[str, Any] | None, default: str) -> str:
    """The tier that PutParameter gives to the parameter, Standard or Advanced. `default` is the tier of a
    request that names none.

    Raises ValidationException for a value that is too large, and for the way back from Advanced.
    """
    requested = data.get("Tier") or default
    if requested not in (STANDARD, ADVANCED, INTELLIGENT):
        raise constraint_broken(
            requested,
            "tier",
            f"Member must satisfy enum value set: [{STANDARD}, {ADVANCED}, {INTELLIGENT}]",
        )
    size = len(data["Value"].encode())
    was_advanced = existing is not None and existing["Tier"] == ADVANCED
    if requested == INTELLIGENT:
        needs_advanced = was_advanced or size > LARGEST_BYTES[STANDARD] or _has_policies(data)
        requested = ADVANCED if needs_advanced else STANDARD
    if was_advanced and requested == STANDARD:
        raise validation_error(
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
            "advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the "
            f"advanced parameter and recreate it as a standard parameter. {_GUIDE}"
        )
    _check_size(size, requested)
    _check_policies(data, requested)
    return str(requested)


def _check_size(size: int, tier: str) -> None:
    largest = LARGEST_BYTES[tier]
    if size <= largest:
        return
    upgrade = (
        "To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. "
        if tier == STANDARD
        else ""
    )
    raise validation_error(
        f"{tier} tier parameters support a maximum parameter value of {largest} characters. {upgrade}{_GUIDE}"
    )


def _has_policies(data: dict[str, Any]) -> bool:
    return bool(data.get("Policies")) and data["Policies"] not in ("{}", "[]", "[{}]")


def _check_policies(data: dict[str, Any], tier: str) -> None:
    if not _has_policies(data):
        return
    if tier == STANDARD:
        raise Refused(
            "InvalidPolicyAttributeException",
            f"Parameter policies are for parameters of the advanced-parameter tier. {_GUIDE}",
            400,
        )
    raise not_implemented("let parameters expire or notify of them (Policies of PutParameter).")
