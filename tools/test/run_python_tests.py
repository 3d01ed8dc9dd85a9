"""Runs the unittest tests below a directory, several of its modules at once, and leaves their counts as JSON in a file."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--report", required=True)
    parser.add_argument("--module", help="run only this file, in this process")
    parser.add_argument("directory")
    options = parser.parse_args()
    directory = Path(options.directory)
    report = run_module(directory, Path(options.module)) if options.module else run_all(directory)
    Path(options.report).write_text(json.dumps(report), encoding="utf-8")
    return 0 if report["failed"] == 0 else 1


def run_all(directory: Path) -> dict:
    # The largest first: nothing else tells which takes longest, and the last one should not be the long one.
    modules = sorted(directory.rglob("test*.py"), key=lambda path: path.stat().st_size, reverse=True)
    # Most tests wait for processes of their own part of the time: one more than there are cores.
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        reports = list(pool.map(lambda module: run_apart(directory, module), modules))
    return {
        "passed": sum(report["passed"] for report in reports),
        "failed": sum(report["failed"] for report in reports),
        "skipped": [skip for report in reports for skip in report["skipped"]],
    }


def run_apart(directory: Path, module: Path) -> dict:
    """Runs one module in a process of its own, and shows what it said once it is through."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "report.json"
        arguments = ["--report", str(path), "--module", str(module), str(directory)]
        ended = subprocess.run(
            [sys.executable, __file__, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        report = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    said = ended.stdout.decode("utf-8", "replace")
    if report is None:
        # Nothing may pass by dying.
        said += f"ended with {ended.returncode} and left no counts\n"
        report = {"passed": 0, "failed": 1, "skipped": []}
    print(f"-- {module.relative_to(directory)}\n{said}", end="", flush=True)
    return report


def run_module(directory: Path, module: Path) -> dict:
    suite = unittest.TestLoader().discover(str(module.parent), module.name, str(directory))
    result = unittest.TextTestRunner(verbosity=1, stream=sys.stdout).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    # A class whose setUpClass fails is an error though none of its tests ran: never below zero.
    passed = max(0, result.testsRun - failed - len(result.skipped) - len(result.expectedFailures))
    return {
        "passed": passed + len(result.expectedFailures),
        "failed": failed,
        "skipped": [{"test": test.id(), "reason": reason} for test, reason in result.skipped],
    }


if __name__ == "__main__":
    sys.exit(main())
