"""Layers with extensions for tests."""

import io
import sys
import zipfile
from pathlib import Path

PYTHON = Path(getattr(sys, "_base_executable", sys.executable)).resolve()

# An extension that says in the log what it does. Its behaviour is in variables of the function:
# EVENTS, comma-separated; INIT_S and INVOKE_S, seconds that it takes; and END, when that of the name watcher
# exits with status 3.
EXTENSION = f"""#!{PYTHON} -IS
import http.client, json, os, signal, sys, time

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

def call(method, action, headers, body=None):
    api.request(method, f"/2020-01-01/extension/{{action}}", body, headers)
    response = api.getresponse()
    return response, json.loads(response.read() or b"{{}}")

def say(what, document=None):
    print(f"{{NAME}} {{what}} {{json.dumps(document)}}", flush=True)

def end(when, action=None):
    if NAME == "watcher" and os.environ.get("END") == when:
        if action:
            headers = {{**IDENTITY, "Lambda-Extension-Function-Error-Type": "Test.Failed"}}
            say("told", call("POST", action, headers, "{{}}")[0].status)
        sys.exit(3)

NAME = os.path.basename(sys.argv[0])
end("before register")
events = os.environ.get("EVENTS", "INVOKE,SHUTDOWN").split(",")
headers = {{"Lambda-Extension-Name": NAME, "Lambda-Extension-Accept-Feature": "accountId"}}
response, registered = call("POST", "register", headers, json.dumps({{"events": events}}))
IDENTITY = {{"Lambda-Extension-Identifier": response.headers["Lambda-Extension-Identifier"]}}
say("registered", registered)
again = call("POST", "register", headers, json.dumps({{"events": events}}))
say("again", [again[0].status, again[1].get("errorType")])
end("init/error", "init/error")
time.sleep(float(os.environ.get("INIT_S", "0")))
while True:
    event = call("GET", "event/next", IDENTITY)[1]
    say(event["eventType"], event)
    if event["eventType"] == "SHUTDOWN":
        break
    end("invoke")
    end("exit/error", "exit/error")
    time.sleep(float(os.environ.get("INVOKE_S", "0")))
    say("done")
"""


def layer_of(files: dict[str, str], mode: int = 0o755) -> bytes:
    """A layer's zip file whose files all have that mode."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return buffer.getvalue()
