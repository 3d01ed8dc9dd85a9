"""What the command `clipper_runtime.capture` does once the interpreter is known to be recent enough."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clipper_runtime.capture_bundle import NO_SAMPLE, CaptureRequest, capture_bundle, check_request
from clipper_runtime.capture_target import load_target
from clipper_runtime.cloudpickle_choice import choose_cloudpickle
from clipper_runtime.failure import Failure
from clipper_runtime.report import run_command


def run(options: argparse.Namespace) -> int:
    """Returns the exit status."""
    return run_command(Path(options.report) if options.report else None, lambda: _capture(options))


def _capture(options: argparse.Namespace) -> Mapping[str, Any]:
    sample = read_sample(options.sample)
    check_request(options.name, options.version, options.input_type, sample)
    cloudpickle_version = choose_cloudpickle()
    target = load_target(options.function)
    request = CaptureRequest(
        target.function,
        options.name,
        options.version,
        options.input_type,
        sample,
        reference=None if target.file else (target.module, target.name),
        by_value=sys.modules[target.module] if target.file else None,
    )
    return capture_bundle(request, Path(options.output), cloudpickle_version).to_json()


def read_sample(text: str | None) -> Any:
    if text is None:
        return NO_SAMPLE
    try:
        if text.startswith("@"):
            text = Path(text[1:]).read_text("utf-8")
        return json.loads(text, parse_constant=_refuse_constant)
    except OSError as error:
        raise Failure("INVALID_SAMPLE", f"the sample {text[1:]} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Failure("INVALID_SAMPLE", f"the sample is not JSON: {error}") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
