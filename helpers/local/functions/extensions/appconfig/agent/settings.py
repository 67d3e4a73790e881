"""What a function's variables ask of the agent.

AppConfig user guide, "Configuring the AWS AppConfig Agent Lambda extension".
"""

import datetime
import re
from dataclasses import dataclass

PREFIX = "AWS_APPCONFIG_EXTENSION_"
SUPPORTED = frozenset(
    {"HTTP_PORT", "LOG_LEVEL", "POLL_INTERVAL_SECONDS", "POLL_TIMEOUT_MILLIS", "PREFETCH_LIST"}
)
_LEVELS = ["DEBUG", "INFO", "WARN", "ERROR", "NONE"]
_DURATION = re.compile(r"(\d+)(s|m|h)?")
_UNITS_S = {None: 1, "s": 1, "m": 60, "h": 3600}


class SettingInvalid(ValueError):
    """A variable of the agent has a value that it cannot take."""


@dataclass(frozen=True)
class Settings:
    """What the function's variables ask for."""

    port: int
    poll_interval_s: int
    poll_timeout_s: float
    prefetch: tuple[str, ...]
    log_level: str

    @classmethod
    def of_variables(cls, variables: dict[str, str]) -> "Settings":
        level = variables.get(f"{PREFIX}LOG_LEVEL", "info").upper()
        if level not in _LEVELS:
            raise SettingInvalid(f"{PREFIX}LOG_LEVEL: expected one of {', '.join(_LEVELS).lower()}")
        prefetch = variables.get(f"{PREFIX}PREFETCH_LIST", "")
        return cls(
            port=_whole_number(variables, "HTTP_PORT", 2772),
            poll_interval_s=_interval_s(variables.get(f"{PREFIX}POLL_INTERVAL_SECONDS", "45")),
            poll_timeout_s=_whole_number(variables, "POLL_TIMEOUT_MILLIS", 3000) / 1000,
            prefetch=tuple(path.strip() for path in prefetch.split(",") if path.strip()),
            log_level=level,
        )


def _whole_number(variables: dict[str, str], name: str, default: int) -> int:
    value = variables.get(f"{PREFIX}{name}", str(default))
    if not value.isdigit() or int(value) == 0:
        raise SettingInvalid(f"{PREFIX}{name}={value}: expected a whole number above 0")
    return int(value)


def _interval_s(value: str) -> int:
    match = _DURATION.fullmatch(value.strip())
    if match is None or int(match[1]) == 0:
        raise SettingInvalid(f"{PREFIX}POLL_INTERVAL_SECONDS={value}: expected seconds, or such as 5m")
    return int(match[1]) * _UNITS_S[match[2]]


class Log:
    """Lines as the agent writes them into the function's log."""

    def __init__(self, level: str) -> None:
        self._threshold = _LEVELS.index(level)

    def write(self, level: str, text: str) -> None:
        if _LEVELS.index(level) >= self._threshold:
            now = datetime.datetime.now(datetime.UTC)
            print(f"[appconfig agent] {now:%Y/%m/%d %H:%M:%S} {level} {text}", flush=True)
