"""Make execution environments: directories, variables, log stream, sandbox, command."""

import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from ministack.core.responses import request_scope

from helpers.local.functions import invocation_log, log_writer, runtimes
from helpers.local.functions.environment import ExecutionEnvironment
from helpers.local.functions.extensions.appconfig import layer
from helpers.local.functions.output import LogLine
from helpers.local.functions.packages import unpack
from helpers.local.functions.processes import ExtensionsLaunch, Launch
from helpers.local.functions.runtimes import Runtime
from helpers.local.functions.sandbox import Sandbox, choose
from helpers.local.functions.sandbox.isolation import FileSystem, Isolation
from helpers.local.functions.specification import FunctionVersion

ON_DEMAND = "on-demand"
PROVISIONED_CONCURRENCY = "provisioned-concurrency"


@dataclass(frozen=True)
class EnvironmentFactory:
    """Makes execution environments below `directory`, which belongs to one local AWS.

    `role_credentials` returns AWS_ACCESS_KEY_ID and its companions for the function's role.
    """

    run_id: str
    directory: Path
    endpoint_url: str
    role_credentials: Callable[[FunctionVersion], dict[str, str]]

    def create(self, function: FunctionVersion, initialization_type: str = ON_DEMAND) -> ExecutionEnvironment:
        """An environment that is ready to be initialised.

        Raises RuntimeUnavailable or PackageUnreadable when the function cannot run here at all.
        """
        runtime = runtimes.find(function.runtime)
        identity = secrets.token_hex(16)
        own = self.directory / "environments" / identity
        tmp = own / "tmp"
        tmp.mkdir(parents=True)
        tmp.chmod(0o1777)
        machine = FileSystem(
            task=unpack([function.code], self.directory / "code"),
            runtime=runtime.directory,
            language=runtime.language,
            tmp=tmp,
            layers=unpack(list(function.layers), self.directory / "layers") if function.layers else None,
        )
        isolation = Isolation.best(machine)
        sandbox = choose()(self.run_id, identity, function.memory_mb)
        log_stream_name = f"{datetime.now(UTC):%Y/%m/%d}/{function.log_stream_owner}{identity}"
        failure = runtime.launch_failure(isolation)
        extensions = self._extensions(isolation)
        launch = Launch(
            command=[] if failure else self._command(function, runtime, isolation, sandbox, extensions),
            environment_variables={
                **self._variables(function, runtime, isolation, log_stream_name, initialization_type),
                **layer.port_variable(function.variables, extensions),
            },
            log_stream_name=log_stream_name,
            runtime_version=runtime.version if isolation.isolated else f"{runtime.version}-not-isolated",
            function=function,
            failure=failure,
            extensions=None if failure else extensions,
        )

        def on_close(last_lines: list[LogLine]) -> None:
            shutil.rmtree(own, ignore_errors=True)
            with request_scope(function.account_id, function.region):
                # The environment of a function that was deleted does not bring its log group back.
                if last_lines and log_writer.group_exists(function):
                    invocation_log.write(function, log_stream_name, last_lines)

        return ExecutionEnvironment(sandbox, launch, on_close)

    def _extensions(self, isolation: Isolation) -> ExtensionsLaunch | None:
        """Every file of /opt/extensions is an external extension; None when there is none."""
        layers = isolation.machine.layers
        directory = layers / "extensions" if layers is not None else None
        if directory is None or not directory.is_dir():
            return None
        names = tuple(sorted(file.name for file in directory.iterdir() if not file.is_dir()))
        if not names:
            return None
        return ExtensionsLaunch(
            names=names,
            directory=f"{isolation.seen.layers}/extensions",
            isolation=isolation,
            own_network=isolation.can_own_network,
            gateway_port=urlsplit(self.endpoint_url).port or 80,
        )

    def _command(
        self,
        function: FunctionVersion,
        runtime: Runtime,
        isolation: Isolation,
        sandbox: Sandbox,
        extensions: ExtensionsLaunch | None,
    ) -> list[str]:
        """With extensions it is started in a sandbox that was entered before."""
        command = runtime.command(isolation, function)
        wrapper = function.variables.get("AWS_LAMBDA_EXEC_WRAPPER")
        if wrapper and runtime.is_managed:
            command = [_seen_value(wrapper, isolation), *command]
        return command if extensions else isolation.launch_command(command, sandbox.join_files)

    def _variables(
        self,
        function: FunctionVersion,
        runtime: Runtime,
        isolation: Isolation,
        log_stream_name: str,
        initialization_type: str,
    ) -> dict[str, str]:
        """AWS Lambda developer guide, "Defined runtime environment variables", and nothing else.

        The one addition is AWS_ENDPOINT_URL, by which the function's SDK finds the local AWS.
        """
        seen = isolation.seen
        layers = seen.layers or "/opt"
        logging = function.logging_config
        json_format = logging.get("LogFormat") == "JSON"
        variables = {
            "PATH": f"{seen.language}/bin:/usr/local/bin:/usr/bin:/bin:{layers}/bin",
            "LD_LIBRARY_PATH": ":".join(
                f"{directory}"
                for directory in (
                    f"{seen.language}/lib",
                    "/lib64",
                    "/usr/lib64",
                    seen.runtime,
                    f"{seen.runtime}/lib",
                    seen.task,
                    f"{seen.task}/lib",
                    f"{layers}/lib",
                )
            ),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "LAMBDA_TASK_ROOT": str(seen.task),
            "LAMBDA_RUNTIME_DIR": str(seen.runtime),
            "_HANDLER": function.handler,
            "AWS_REGION": function.region,
            "AWS_DEFAULT_REGION": function.region,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": function.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": initialization_type,
            "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group_name,
            "AWS_LAMBDA_LOG_STREAM_NAME": log_stream_name,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            **(_of_managed_runtimes(function) if runtime.is_managed else {}),
            **({"AWS_LAMBDA_LOG_FORMAT": "JSON"} if json_format else {}),
            **({"AWS_LAMBDA_LOG_LEVEL": logging.get("ApplicationLogLevel", "INFO")} if json_format else {}),
            **({} if isolation.isolated else {"TMPDIR": str(seen.tmp)}),
            **runtime.environment_variables(seen),
            **self.role_credentials(function),
        }
        own = {name: _seen_value(value, isolation) for name, value in function.variables.items()}
        return {**variables, **own}


def _of_managed_runtimes(function: FunctionVersion) -> dict[str, str]:
    return {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        # AWS's runtimes write framed events to this descriptor: here to standard output.
        "_LAMBDA_TELEMETRY_LOG_FD": "1",
    }


def _seen_value(value: str, isolation: Isolation) -> str:
    """A variable of the function's own; where /opt cannot be mounted, paths below it are rewritten."""
    layers = isolation.machine.layers
    return value if isolation.isolated or layers is None else value.replace("/opt/", f"{layers}/")
