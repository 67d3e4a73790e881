"""Change a function's configuration and wait until the change holds."""

from typing import Any

# The waiters' own pace is one second; a measurement changes configurations often, and most changes are quick.
WAITER_PACE = {"Delay": 0.1, "MaxAttempts": 1200}


def update(lambda_client: Any, function_name: str, **changes: Any) -> None:
    """`update_function_configuration(**changes)`, then wait until it holds (at most two minutes).

    An earlier change that is still under way, for example because waiting for it was interrupted, is waited
    for first: Lambda would refuse the new one.

    Raises ClientError when Lambda refuses the change, WaiterError when it does not come into force.
    """
    wait_updated(lambda_client, function_name)
    lambda_client.update_function_configuration(FunctionName=function_name, **changes)
    wait_updated(lambda_client, function_name)


def wait_updated(lambda_client: Any, function_name: str) -> None:
    """Wait until the last change of a function holds. Raises WaiterError when it does not."""
    waiter = lambda_client.get_waiter("function_updated_v2")
    waiter.wait(FunctionName=function_name, WaiterConfig=WAITER_PACE)


def publish(lambda_client: Any, function_name: str) -> str:
    """Publish a version, wait until it can be invoked, and return its number.

    Lambda publishes nothing when code and configuration are those of the version published last, and
    returns that version.
    """
    version: str = lambda_client.publish_version(FunctionName=function_name)["Version"]
    waiter = lambda_client.get_waiter("function_active_v2")
    waiter.wait(FunctionName=function_name, Qualifier=version, WaiterConfig=WAITER_PACE)
    return version


def set_variables(lambda_client: Any, function_name: str, **variables: str) -> None:
    """Set these environment variables, leave the function's others as they are, and wait until it holds.

    Lambda starts new execution environments for it. Raises what `update` and `variables_of` raise.
    """
    kept = variables_of(lambda_client.get_function_configuration(FunctionName=function_name))
    update(lambda_client, function_name, Environment={"Variables": kept | variables})


def variables_of(configuration: dict[str, Any]) -> dict[str, str]:
    """The environment variables in what `get_function_configuration` returned.

    Raises ValueError when it has an error in their place, for example because they are encrypted with a key
    that the caller may not use (Lambda API reference, "EnvironmentResponse"). To take them for none, and then
    to write some, would lose them.
    """
    environment = configuration.get("Environment", {})
    if "Error" in environment:
        raise ValueError(
            f"The variables of {configuration['FunctionName']} cannot be read, and so could not be kept: "
            f"{environment['Error'].get('Message')} Give the caller the right to decrypt them."
        )
    variables: dict[str, str] = environment.get("Variables", {})
    return variables


def wait_active(lambda_client: Any, *function_names: str) -> None:
    """Wait until these functions can be invoked. Raises WaiterError when one cannot."""
    waiter = lambda_client.get_waiter("function_active_v2")
    for name in function_names:
        waiter.wait(FunctionName=name, WaiterConfig=WAITER_PACE)
