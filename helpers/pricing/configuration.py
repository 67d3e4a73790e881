"""AWS Secrets Manager, Parameter Store and AppConfig of AWS Systems Manager, and the keys of AWS KMS.

Source of the rules: the pricing pages of AWS Secrets Manager, AWS Systems Manager and AWS KMS.
"""

from helpers.pricing.costs import Cost, line
from helpers.pricing.prices import REGION, free_quantity


def secrets_cost(secret_months: float, api_calls: float = 0, region: str = REGION) -> Cost:
    """Secrets, counted by the hour for those that live for less than a month, and calls to read them.

    A replica in another Region is a secret of its own.
    """
    return Cost(
        (
            line("secrets_manager.secrets", secret_months, region),
            line("secrets_manager.api_calls", api_calls, region),
        )
    )


def parameters_cost(
    advanced_parameter_months: float = 0, charged_calls: float = 0, region: str = REGION
) -> Cost:
    """Advanced parameters, and the calls that are charged.

    Those are the calls to advanced parameters, and all calls once higher throughput is switched on; a call
    that reads ten parameters counts as ten. Standard parameters at standard throughput are free.
    """
    return Cost(
        (
            line("parameter_store.advanced_parameters", advanced_parameter_months, region),
            line("parameter_store.api_calls", charged_calls, region),
        )
    )


def appconfig_cost(requests: float, configurations_received: float, region: str = REGION) -> Cost:
    """Requests for a configuration, and how often one was received.

    A client receives it with its first request, and again only after it has changed: a request that finds
    nothing new is one of the requests alone.
    """
    return Cost(
        (
            line("appconfig.configuration_requests", requests, region),
            line("appconfig.configurations_received", configurations_received, region),
        )
    )


def kms_cost(
    key_months: float = 0, requests: float = 0, free_tier: bool = False, region: str = REGION
) -> Cost:
    """Customer managed keys, and requests to symmetric keys, such as Decrypt.

    Keys that AWS manages cost nothing to keep, only the requests to them. The first two rotations of a key
    cost as much as another key each, later ones nothing. Reading a SecureString makes one request.
    """
    name = "kms.requests"
    return Cost(
        (
            line("kms.keys", key_months, region),
            line(name, requests, region, free_quantity(name, free_tier)),
        )
    )
