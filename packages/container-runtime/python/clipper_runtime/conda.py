"""What conda put into the running interpreter's prefix."""

from __future__ import annotations

import json
import os
import sys
from functools import cached_property
from pathlib import Path
from typing import Any


class CondaPrefix:
    """A conda environment, read from its `conda-meta/` without running conda."""

    def __init__(self, prefix: Path) -> None:
        self._prefix = prefix

    @classmethod
    def of_this_interpreter(cls) -> CondaPrefix | None:
        """None outside conda. A virtual environment made from a conda interpreter is not one."""
        prefix = Path(sys.prefix)
        return cls(prefix) if (prefix / "conda-meta").is_dir() else None

    def owner(self, path: str) -> str | None:
        """`name version` of the conda package with the file at `path`, or with one below it."""
        relative = os.path.relpath(os.path.abspath(path), self._prefix).replace(os.sep, "/")
        return self._owner_of_file.get(relative) or self._owner_of_directory.get(relative)

    @cached_property
    def _owner_of_file(self) -> dict[str, str]:
        owners: dict[str, str] = {}
        for record in sorted((self._prefix / "conda-meta").glob("*.json")):
            try:
                package: Any = json.loads(record.read_text("utf-8"))
                name = f"{package['name']} {package['version']}"
                owners.update((file, name) for file in package.get("files", ()))
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                continue  # not conda's: it skips such files too
        return owners

    @cached_property
    def _owner_of_directory(self) -> dict[str, str]:
        return {os.path.dirname(file): name for file, name in self._owner_of_file.items()}
