from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent

_TRAINING = """
import os, subprocess, sys, time
child = subprocess.Popen(["sleep", "300"])
assert "CLIPPER_LIFELINE" not in os.environ
print(child.pid, file=open("child.tmp", "w"), flush=True)
os.rename("child.tmp", "child")
time.sleep(300)

def predict(inputs):
    return inputs
"""


class ATool(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="crt-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        (self.directory / "train.py").write_text(_TRAINING)

    def test_ends_with_what_it_started_when_its_caller_is_gone(self) -> None:
        reading, writing = os.pipe()
        command = ["--function", "train.py:predict", "--name", "m", "--version", "1", "--input-type", "strings"]
        with subprocess.Popen(
            [sys.executable, "-m", "clipper_runtime.capture", *command, "--output", "bundle"],
            cwd=self.directory,
            env={**os.environ, "PYTHONPATH": str(_ROOT), "CLIPPER_LIFELINE": str(reading)},
            pass_fds=[reading],
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as tool:
            os.close(reading)
            while not (self.directory / "child").exists():
                self.assertIsNone(tool.poll())
                time.sleep(0.01)
            os.close(writing)
            self.assertNotEqual(tool.wait(timeout=30), 0)
        child = int((self.directory / "child").read_text())
        deadline = time.monotonic() + 30
        while _runs(child) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertFalse(_runs(child))


def _runs(pid: int) -> bool:
    try:
        # what has ended and is not waited for is there still
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
