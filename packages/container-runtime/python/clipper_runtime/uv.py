"""Finding uv and running it with the user's settings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from clipper_runtime.index_settings import uv_environment
from clipper_runtime.tool import ToolResult, run_tool

_PROBE = "import importlib.util, sys; sys.exit(importlib.util.find_spec('uv') is None)"


class Uv:
    """uv as it was found: `$CLIPPER_UV`, `uv` on PATH, or a module of `python` or of this interpreter."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._environ = uv_environment(os.environ)
        for name in ("PYTHONPATH", "VIRTUAL_ENV"):
            self._environ.pop(name, None)

    @classmethod
    def find(cls, python: str) -> Uv | None:
        if configured := os.environ.get("CLIPPER_UV"):
            return cls([configured])
        if found := shutil.which("uv"):
            return cls([found])
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        for candidate in dict.fromkeys((python, sys.executable)):
            try:
                probe = subprocess.run([candidate, "-c", _PROBE], env=environ, capture_output=True)
            except OSError:
                continue
            if probe.returncode == 0:
                return cls([candidate, "-m", "uv"])
        return None

    def run(self, *arguments: str) -> ToolResult:
        return run_tool([*self._command, *arguments], self._environ)
