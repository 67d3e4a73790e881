"""First program of a Python execution environment.

It sets the search path as Lambda does and becomes AWS's runtime interface client, or our own loop
where that does not exist. It is started without the site module, so that nothing that is
installed on this machine for other programs can be imported.
"""

import importlib
import os
import site
import sys

TASK_ROOT = os.environ["LAMBDA_TASK_ROOT"]
LAYERS = sys.argv.pop()
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"

# Python adds it where the locale of LANG is not installed (PEP 538); on Lambda it is.
if os.environ.get("LC_CTYPE") in ("C.UTF-8", "C.utf8", "UTF-8"):
    del os.environ["LC_CTYPE"]

# The built-ins which the site module would have defined.
site.setquit()
site.setcopyright()
site.sethelper()

sys.path[:0] = [TASK_ROOT, f"{LAYERS}/python/lib/{VERSION}/site-packages", f"{LAYERS}/python"]

# Not pathlib, whose import would add to every Init Duration.
if os.path.isdir(f"{os.environ['LAMBDA_RUNTIME_DIR']}/awslambdaric"):  # noqa: PTH112
    importlib.import_module("awslambdaric.__main__").main(sys.argv)
else:
    importlib.import_module("workshop_loop").main(sys.argv[1])
