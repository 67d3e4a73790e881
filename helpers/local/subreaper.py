"""Become the parent of orphaned descendants, so that none escapes by losing its own parent."""

import ctypes
import os
import sys

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def adopt_orphans() -> None:
    """Linux gives the children of a dead descendant to the nearest subreaper instead of to init."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def bury_orphans(own_child: int) -> None:
    """Let adopted children that have ended disappear. `own_child` is left to whoever started it."""
    if sys.platform != "linux":
        return
    look_only = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while (ended := os.waitid(os.P_ALL, 0, look_only)) and ended.si_pid != own_child:
        os.waitpid(ended.si_pid, 0)
