"""Loads a bundle in this clean interpreter and runs its sample.

`python -m clipper_runtime.preflight --help`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clipper_runtime.bundle import read_bundle
from clipper_runtime.bytecode import keep_bytecode
from clipper_runtime.failure import Failure
from clipper_runtime.model import Model, load_model
from clipper_runtime.report import run_command
from clipper_runtime.search_path import leave_working_directory
from clipper_runtime.trial import try_sample

_FLOOR_BATCH_SIZES = (1, 8, 64)
_FLOOR_SECONDS_EACH = 0.3
_FLOOR_CALLS = (3, 50)
DEFAULT_TIMEOUT_MS = 60_000


def preflight(directory: str, warn: Callable[[str], None]) -> Mapping[str, Any]:
    """`{loadMicros, floor, outputs, warnings}`; floor and outputs are empty when the bundle has no sample.

    Raises Failure: BUNDLE_INVALID, PYTHON_MISMATCH, MODULE_MISSING, PREFLIGHT_FAILED, BAD_OUTPUT,
    INVALID_SAMPLE.
    """
    bundle = read_bundle(directory)
    started = time.monotonic_ns()
    model = load_model(bundle)
    load_micros = (time.monotonic_ns() - started) // 1000
    outputs: list[str] = []
    floor: list[Mapping[str, int]] = []
    if bundle.has_sample:
        outputs, _ = try_sample(model, 1, warn)
        try_sample(model, 2, warn)
        floor = [_floor(model, size) for size in _FLOOR_BATCH_SIZES]
    model.loaded.close()
    return {"loadMicros": load_micros, "floor": floor, "outputs": outputs}


def _floor(model: Model, batch_size: int) -> Mapping[str, int]:
    """How long the function takes at least for such a batch, from a few calls in about 0.3 s."""
    least, most = _FLOOR_CALLS
    ends = time.monotonic() + _FLOOR_SECONDS_EACH
    times: list[int] = []
    while len(times) < most and (len(times) < least or time.monotonic() < ends):
        times.append(try_sample(model, batch_size, lambda text: None)[1])
        if time.monotonic() > ends + 2 * _FLOOR_SECONDS_EACH:
            break  # a slow function: fewer calls say enough
    times.sort()
    return {
        "batchSize": batch_size,
        "p50Micros": times[len(times) // 2],
        "p99Micros": times[min(len(times) - 1, len(times) * 99 // 100)],
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="clipper_runtime.preflight", description=__doc__)
    parser.add_argument("--bundle", required=True, help="directory of the bundle")
    parser.add_argument("--report", type=Path, help="file for the result; default: standard output")
    parser.add_argument("--timeout-ms", type=int, default=DEFAULT_TIMEOUT_MS, help="default %(default)s")
    options = parser.parse_args(arguments)
    leave_working_directory()
    keep_bytecode()
    warnings: list[str] = []
    late = Failure(
        "PREFLIGHT_FAILED",
        f"loading the function and running the sample took more than {options.timeout_ms} ms",
        facts={"timeoutMs": options.timeout_ms},
    )
    status = run_command(
        options.report,
        lambda: {**preflight(options.bundle, warnings.append), "warnings": warnings},
        (options.timeout_ms / 1000, late),
    )
    sys.stdout.flush()
    sys.stderr.flush()
    # threads the user's code left must not keep this process
    os._exit(status)


if __name__ == "__main__":
    main()
