"""Bundles made as users make them: by the capture command, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path
from typing import Any

PYTHON_PATH = str(Path(__file__).resolve().parents[2])


class TemporaryDirectoryTest(unittest.TestCase):
    """A test with a short directory of its own: sockets have to fit into it."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="crt-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def write(self, name: str, source: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source), "utf-8")
        return path


def run_module(
    module: str,
    *arguments: str,
    python: str = sys.executable,
    environ: dict[str, str] | None = None,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m clipper_runtime.<module>` to its end."""
    return subprocess.run(
        [python, "-m", f"clipper_runtime.{module}", *arguments],
        env={**os.environ, "PYTHONPATH": PYTHON_PATH, **(environ or {})},
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def run_capture(
    function: str, output: Path, *, input_type: str = "strings", sample: Any = None
) -> dict[str, Any]:
    """Captures and returns the report."""
    arguments = ["--function", function, "--name", "m", "--version", "1", "--input-type", input_type]
    if sample is not None:
        arguments += ["--sample", json.dumps(sample)]
    done = run_module("capture", *arguments, "--output", str(output))
    if not done.stdout:
        raise AssertionError(f"capture said nothing; status {done.returncode}: {done.stderr}")
    report = json.loads(done.stdout.splitlines()[-1])
    if report["ok"] != (done.returncode == 0):
        raise AssertionError(f"status {done.returncode} does not fit {report}")
    return report


def capture_source(directory: Path, source: str, **options: Any) -> Path:
    """A bundle of the function `predict` in `source`. Raises AssertionError when it cannot be captured."""
    path = directory / "model_file.py"
    path.write_text(textwrap.dedent(source), "utf-8")
    report = run_capture(f"{path}:predict", directory / "bundle", **options)
    if not report["ok"]:
        raise AssertionError(report["error"])
    return directory / "bundle"
