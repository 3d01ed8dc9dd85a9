"""Saving a model bundle from a live session or notebook."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from clipper_runtime.capture_bundle import NO_SAMPLE, CaptureRequest, CaptureResult, capture_bundle
from clipper_runtime.capture_target import check_function
from clipper_runtime.cloudpickle_choice import choose_cloudpickle


def save_bundle(
    function: Any,
    path: str | os.PathLike[str],
    *,
    name: str,
    version: str | int,
    input_type: str,
    sample: Any = NO_SAMPLE,
) -> CaptureResult:
    """Writes `function` as a model bundle to the directory `path`, for `clipper deploy --bundle`.

    `sample` is one input as JSON would hold it (bytes as base64 text). What the session defined travels by
    value, local modules as files, installed packages as exact pins. Raises Failure, as the command
    `clipper_runtime.capture` reports.
    """
    check_function(function, getattr(function, "__qualname__", type(function).__qualname__))
    request = CaptureRequest(function, name, str(version), input_type, sample)
    return capture_bundle(request, Path(path), choose_cloudpickle())
