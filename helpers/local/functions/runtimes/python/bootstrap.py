"""First program of a Python execution environment: set the search path as Lambda does, then run
AWS's runtime interface client. Started without the site module, so that nothing that is installed
on this machine for other programs can be imported.
"""

import os
import site
import sys

TASK_ROOT = os.environ["LAMBDA_TASK_ROOT"]
LAYERS = sys.argv.pop()
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"

# The built-ins which the site module would have defined.
site.setquit()
site.setcopyright()
site.sethelper()

sys.path[:0] = [TASK_ROOT, f"{LAYERS}/python/lib/{VERSION}/site-packages", f"{LAYERS}/python"]

from awslambdaric.__main__ import main  # noqa: E402

main(sys.argv)
