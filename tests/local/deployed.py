"""Deploy functions in tests and read what their invocations return."""

import base64
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A deployment package with these files; those named `bootstrap`, in any folder, are executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = (0o755 if name.split("/")[-1] == "bootstrap" else 0o644) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def in_parallel(run: Callable[[Any], Any], cases: list[Any]) -> list[Any]:
    """Functions become active half a second after they were created: that is waited for only once."""
    with ThreadPoolExecutor(len(cases)) as threads:
        return list(threads.map(run, cases))


@dataclass(frozen=True)
class Answer:
    """What Invoke returned: the payload parsed, the error's kind, the log's tail as text."""

    payload: Any
    function_error: str | None
    log: str
    executed_version: str
    request_id: str

    @property
    def report(self) -> str:
        """The REPORT line."""
        return next(line for line in self.log.splitlines() if line.startswith("REPORT"))

    def figure(self, name: str) -> float:
        """A number of the REPORT line, such as figure("Duration")."""
        fields = dict(field.split(": ", 1) for field in self.report.split("\t") if ": " in field)
        return float(fields[name].split()[0])


@dataclass(frozen=True)
class DeployedFunction:
    """A function of one test, deleted after it."""

    client: Any
    name: str

    def invoke(self, event: Any = None, **parameters: Any) -> Answer:
        parameters.setdefault("LogType", "Tail")
        response = self.client.invoke(
            FunctionName=self.name, Payload=json.dumps(event if event is not None else {}), **parameters
        )
        body = response["Payload"].read()
        return Answer(
            payload=json.loads(body) if body else None,
            function_error=response.get("FunctionError"),
            log=base64.b64decode(response.get("LogResult", "")).decode(),
            executed_version=response["ExecutedVersion"],
            request_id=response["ResponseMetadata"]["RequestId"],
        )

    def update(self, **parameters: Any) -> None:
        """UpdateFunctionConfiguration, waited for."""
        self.client.update_function_configuration(FunctionName=self.name, **parameters)
        self.client.get_waiter("function_updated_v2").wait(
            FunctionName=self.name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )
