"""What one local AWS is started with, and where it keeps what it must remove again."""

import dataclasses
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

DEFAULT_ACCOUNT_ID = "111122223333"


@dataclass(frozen=True)
class Settings:
    """Settings of one local AWS, handed from the supervisor to the gateway process as JSON.

    `port` 0 asks for a free one. `run_id` is part of the name of everything outside the
    state directory (control groups), so that what a killed run left can be recognised.
    """

    port: int
    account_id: str
    enforce_iam: bool
    run_id: str
    state_directory: str

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        return cls(**json.loads(text))

    @property
    def functions_directory(self) -> Path:
        """Unpacked code, merged layers and the `/tmp` of every execution environment."""
        return Path(self.state_directory) / "functions"


def new_run_id(supervisor_pid: int) -> str:
    """`<pid>-<random>`: the pid tells a later start whether the owner still lives."""
    return f"{supervisor_pid}-{secrets.token_hex(4)}"
