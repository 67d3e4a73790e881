"""Say as one line of JSON which limiter is in force: `python -m helpers.local.functions.sandbox`."""

import json

from helpers.local.functions.sandbox import choose
from helpers.local.functions.sandbox.isolation import unshare_command

if __name__ == "__main__":
    limiter = choose().limiter
    view = "as on Lambda (/var/task, /opt, own /tmp)" if unshare_command() else "the machine's own"
    print(json.dumps({"limiter": limiter, "detail": f"file system: {view}"}))
