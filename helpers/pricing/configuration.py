"""AWS Secrets Manager, and Parameter Store of AWS Systems Manager.

Source of the rules: the AWS Secrets Manager and AWS Systems Manager pricing pages.
"""

from helpers.pricing.costs import Cost, line
from helpers.pricing.prices import REGION


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
