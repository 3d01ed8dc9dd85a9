"""What `python -m` puts in front of the modules' search path, and taking it away."""

from __future__ import annotations

import os
import sys


def leave_working_directory() -> None:
    """Takes the working directory off the front of `sys.path`, where `python -m` put it.

    A file there that is named like a library would be imported in its place.
    """
    if sys.path and sys.path[0] in ("", os.getcwd()) and not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
