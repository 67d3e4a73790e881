"""Say as one line of JSON which limiter is in force: `python -m helpers.local.functions.sandbox`."""

import json
import sys

from helpers.local.functions.sandbox import OptionInvalid, choose
from helpers.local.functions.sandbox.isolation import unshare_command


def main() -> None:
    try:
        limiter = choose().limiter
        isolated = bool(unshare_command())
    except OptionInvalid as error:
        sys.exit(str(error))
    view = "as on Lambda (/var/task, /opt, own /tmp)" if isolated else "the machine's own"
    print(json.dumps({"limiter": limiter, "detail": f"file system: {view}"}))


if __name__ == "__main__":
    main()
