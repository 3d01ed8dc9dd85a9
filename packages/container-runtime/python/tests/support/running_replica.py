"""A replica in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.support.bundles import PYTHON_PATH


class RunningReplica:
    """Started at once; `log` is what it wrote so far.

    `lifeline` gives it the reading end of a pipe of ours.
    """

    def __init__(
        self,
        bundle: Path,
        frontends: str,
        *,
        environ: dict[str, str] | None = None,
        lifeline: bool = False,
        python: str = sys.executable,
    ) -> None:
        variables = {
            **os.environ,
            "PYTHONPATH": PYTHON_PATH,
            "CLIPPER_BUNDLE": str(bundle),
            "CLIPPER_FRONTENDS": frontends,
            "CLIPPER_INSTANCE": "r-1",
            **(environ or {}),
        }
        read = -1
        self._lifeline = -1
        if lifeline:
            read, self._lifeline = os.pipe()
            variables["CLIPPER_LIFELINE"] = str(read)
        self.process = subprocess.Popen(
            [python, "-m", "clipper_runtime.replica"],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=[read] if lifeline else [],
        )
        if lifeline:
            os.close(read)
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def log(self) -> str:
        return "".join(self._lines)

    def wait_for_log(self, text: str, seconds: float = 10) -> None:
        """Waits until the log holds `text`. Raises AssertionError with the log when it never does."""
        ends = time.monotonic() + seconds
        while text not in self.log:
            if time.monotonic() > ends:
                raise AssertionError(f"{text!r} is not in the log:\n{self.log}")
            time.sleep(0.01)

    def end_lifeline(self) -> None:
        os.close(self._lifeline)
        self._lifeline = -1

    def wait(self, seconds: float = 15) -> int:
        status = self.process.wait(seconds)
        self._reader.join(5)
        return status

    def close(self) -> None:
        if self._lifeline >= 0:
            self.end_lifeline()
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.append(line)
