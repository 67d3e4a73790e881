"""Say as one line of JSON how functions are limited: `python -m helpers.local.functions.sandbox`.

Where the local AWS would have systemd delegate a control group to it, so does this program, and
starts itself again in it with the name of that run as its argument.
"""

import json
import os
import sys

from helpers.local.functions.sandbox import OptionInvalid, choose, delegation
from helpers.local.functions.sandbox.isolation import unshare_command


def main() -> None:
    if len(sys.argv) > 1:
        delegation.enter_leaf(sys.argv[1])
    else:
        run_id = f"{os.getpid()}-look"
        prefix = delegation.command_prefix(run_id)
        if prefix:
            os.execvp(prefix[0], [*prefix, sys.executable, "-m", "helpers.local.functions.sandbox", run_id])
    try:
        limiter = choose().limiter
        isolated = bool(unshare_command())
    except OptionInvalid as error:
        sys.exit(str(error))
    view = "as on Lambda (/var/task, /opt, own /tmp)" if isolated else "the machine's own"
    print(json.dumps({"limiter": limiter, "detail": f"file system: {view}"}))


if __name__ == "__main__":
    main()
