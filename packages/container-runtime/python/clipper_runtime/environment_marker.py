"""The file that says that an environment is whole, and what made it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MARKER = ".complete"


def write_marker(directory: Path, marker: Mapping[str, Any]) -> None:
    (directory / _MARKER).write_text(json.dumps(marker, sort_keys=True), "utf-8")


def read_marker(directory: Path) -> dict[str, Any] | None:
    """What the maker wrote; None when it is not whole, or its interpreter is gone."""
    try:
        marker = json.loads((directory / _MARKER).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return marker if isinstance(marker, dict) and (directory / "bin" / "python").exists() else None


def is_made_here(prefix: str) -> bool:
    return os.path.exists(os.path.join(prefix, _MARKER))
