"""One version of one function, as the execution environments need it."""

from dataclasses import dataclass
from typing import Any

DEFAULT_TIMEOUT_S = 3
DEFAULT_MEMORY_MB = 128


@dataclass(frozen=True)
class FunctionVersion:
    """Read off the emulator's record of a function.

    `revision` differs as soon as anything of code or configuration differs: an execution
    environment serves one revision only. `arn` is without version or alias.
    """

    account_id: str
    region: str
    name: str
    version: str
    revision: str
    runtime: str
    handler: str
    memory_mb: int
    timeout_s: float
    role_arn: str
    variables: dict[str, str]
    logging_config: dict[str, str]
    tracing: bool
    code: bytes
    layers: tuple[bytes, ...]

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.name}"

    @property
    def log_group_name(self) -> str:
        return self.logging_config.get("LogGroup") or self._own_log_group_name

    @property
    def log_stream_owner(self) -> str:
        """What stands before the GUID in names of log streams: several functions may share a custom group."""
        name = "" if self.log_group_name == self._own_log_group_name else self.name
        return f"{name}[{self.version}]"

    @property
    def _own_log_group_name(self) -> str:
        return f"/aws/lambda/{self.name}"

    @property
    def function_key(self) -> tuple[str, str, str]:
        """Names the function whatever the version: concurrency is counted by it."""
        return self.account_id, self.region, self.name

    @property
    def revision_key(self) -> tuple[str, str, str, str, str]:
        return self.account_id, self.region, self.name, self.version, self.revision

    @classmethod
    def of_record(cls, record: dict[str, Any], layers: tuple[bytes, ...]) -> "FunctionVersion":
        """`record` is MiniStack's: `config` as GetFunctionConfiguration returns it, and `code_zip`."""
        config = record["config"]
        parts = config["FunctionArn"].split(":")
        return cls(
            account_id=parts[4],
            region=parts[3],
            name=config["FunctionName"],
            version=config.get("Version", "$LATEST"),
            revision=f"{config.get('RevisionId', '')}/{config.get('CodeSha256', '')}",
            runtime=config["Runtime"],
            handler=config.get("Handler", ""),
            memory_mb=int(config.get("MemorySize") or DEFAULT_MEMORY_MB),
            timeout_s=float(config.get("Timeout") or DEFAULT_TIMEOUT_S),
            role_arn=config["Role"],
            variables=dict((config.get("Environment") or {}).get("Variables") or {}),
            logging_config=dict(config.get("LoggingConfig") or {}),
            tracing=(config.get("TracingConfig") or {}).get("Mode") == "Active",
            code=record["code_zip"] or b"",
            layers=layers,
        )
