from __future__ import annotations

import subprocess
import sys
import tempfile
from unittest import mock

from clipper_runtime.pyspark_scratch import SparkScratch
from tests.support.bundles import PYTHON_PATH, TemporaryDirectoryTest

_LEAVE_ONE = """
import os
from clipper_runtime.pyspark_scratch import SparkScratch
scratch = SparkScratch()
(scratch.path / "spilled").write_text("much")
print(scratch.path, flush=True)
os._exit(1)
"""


class Scratch(TemporaryDirectoryTest):
    def setUp(self) -> None:
        super().setUp()
        patched = mock.patch.object(tempfile, "tempdir", str(self.directory))
        patched.start()
        self.addCleanup(patched.stop)

    def test_leaves_nothing_when_it_is_closed(self) -> None:
        scratch = SparkScratch()
        (scratch.path / "spilled").write_text("much")
        scratch.close()
        scratch.close()
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_removes_those_of_killed_processes_and_none_of_living_ones(self) -> None:
        living = SparkScratch()
        self.addCleanup(living.close)
        environ = {"PYTHONPATH": PYTHON_PATH, "TMPDIR": str(self.directory)}
        left = subprocess.run(
            [sys.executable, "-c", _LEAVE_ONE], env=environ, capture_output=True, text=True
        ).stdout.strip()
        (self.directory / "clipper-spark-of-somebody-else").mkdir()
        self.assertIn(left, [str(path) for path in self.directory.iterdir()])
        next_one = SparkScratch()
        self.addCleanup(next_one.close)
        found = sorted(path.name for path in self.directory.iterdir())
        expected = [living.path.name, next_one.path.name, "clipper-spark-of-somebody-else"]
        self.assertEqual(found, sorted(expected))
