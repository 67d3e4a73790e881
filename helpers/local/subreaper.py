"""Become the parent of orphaned descendants, so that none escapes by losing its own parent."""

import ctypes
import sys

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def adopt_orphans() -> None:
    """Linux gives the children of a dead descendant to the nearest subreaper instead of to init."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
