"""Keeping compiled modules in an environment of ours, and nowhere else."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from typing import Any

from clipper_runtime.environment_marker import is_made_here

_HEADER_BYTES = 16
_UNCHECKED_HASH = (1).to_bytes(4, "little")


def keep_bytecode() -> None:
    """From now on what is imported from this environment is compiled once, for all who import it later.

    Loading scikit-learn takes a third of the time then. A file says by its hash what it was compiled from,
    not by a time: the same environment is the same bytes in an image, whose times are fixed. Nothing is
    written beside the modules of a bundle, nor into an environment that is not ours.
    """
    prefix = os.path.join(sys.prefix, "")
    if not is_made_here(sys.prefix):
        never_write_bytecode()
        return
    loader: Any = importlib.machinery.SourceFileLoader
    write = loader.set_data

    def set_data(self: Any, path: str, data: bytes, **options: Any) -> None:
        if path.startswith(prefix):
            source_hash = importlib.util.source_hash(self.get_data(self.path))
            head = bytes(data[:4]) + _UNCHECKED_HASH + source_hash
            write(self, path, head + bytes(data[_HEADER_BYTES:]), **options)

    loader.set_data = set_data
    sys.dont_write_bytecode = False


def never_write_bytecode() -> None:
    """A replica leaves its bundle and its environment as they are: both may be shared, or read-only."""
    sys.dont_write_bytecode = True
