"""Says which PySpark and Java are here, and whether a bundle is locked to them. `python -m clipper_runtime.pyspark_check --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clipper_runtime.bundle import read_bundle
from clipper_runtime.failure import Failure
from clipper_runtime.pyspark_versions import (
    Platform,
    Triple,
    check_platform,
    check_triple,
    find_java,
    python_minor,
)
from clipper_runtime.report import run_command


def check_bundle(directory: Path) -> Mapping[str, Any]:
    """Compares a PySpark bundle with this interpreter, the Java here, and the PySpark that its lock installs.

    Raises Failure: BUNDLE_INVALID, PYTHON_MISMATCH, PYSPARK_MISMATCH, JAVA_MISMATCH, JAVA_MISSING.
    """
    bundle = read_bundle(directory, verify_files=False)
    if bundle.manifest["runtime"] != "pyspark":
        raise Failure("BUNDLE_INVALID", f"the bundle {directory} is of no PySpark model")
    locked = Triple.of_manifest(bundle.manifest)
    java = find_java(locked.pyspark)
    here = Triple(python_minor(), bundle.locked().get("pyspark", "none"), java.major)
    check_triple(locked, here)
    return Platform(here.pyspark, java).to_json()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="clipper_runtime.pyspark_check", description=__doc__)
    parser.add_argument("--bundle", type=Path, help="directory of a bundle to compare with; default: none")
    parser.add_argument("--report", type=Path, help="file for the result; default: standard output")
    options = parser.parse_args(arguments)
    return run_command(
        options.report,
        lambda: check_platform().to_json() if options.bundle is None else check_bundle(options.bundle),
    )


if __name__ == "__main__":
    sys.exit(main())
