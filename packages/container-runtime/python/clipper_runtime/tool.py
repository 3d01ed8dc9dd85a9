"""Running an installer and keeping what it said."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_LIMIT = 4_000
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")


@dataclass(frozen=True)
class ToolResult:
    """`said` is the end of its output, credentials in addresses left out."""

    ok: bool
    said: str
    output: str


def run_tool(command: Sequence[str], environ: Mapping[str, str], timeout_seconds: float = 1800) -> ToolResult:
    """Runs to the end. Never raises for what the tool does; a tool that cannot be started is a result too."""
    try:
        done = subprocess.run(
            list(command),
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return ToolResult(False, f"no end after {timeout_seconds:.0f} s", "")
    except OSError as error:
        return ToolResult(False, f"{command[0]}: {error.strerror}", "")
    output = done.stdout.decode("utf-8", "replace")
    text = (done.stderr.decode("utf-8", "replace").strip() or output.strip()) or f"status {done.returncode}"
    return ToolResult(done.returncode == 0, _CREDENTIALS.sub("", text)[-_LIMIT:], output)
