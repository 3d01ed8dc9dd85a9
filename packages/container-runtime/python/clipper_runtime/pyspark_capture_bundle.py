"""From a PySpark model and its function to a model bundle."""

from __future__ import annotations

import shutil
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipper_runtime.capture_bundle import CaptureRequest, CaptureResult, SavedModel, capture_bundle
from clipper_runtime.failure import Failure
from clipper_runtime.pyspark_saved_model import (
    SavedClass,
    check_saved_by,
    import_model_class,
    read_saved_class,
)
from clipper_runtime.pyspark_versions import Platform

#: What a function of a PySpark model is called with.
FUNCTION_PARAMETERS = ("spark", "model", "inputs")


@dataclass(frozen=True)
class PysparkCapture:
    """What to capture. `reference` and `by_value` as in `CaptureRequest`."""

    function: Any
    name: str
    version: str
    input_type: str
    sample: Any
    reference: tuple[str, str] | None = None
    by_value: types.ModuleType | None = None


def capture_saved_model(
    capture: PysparkCapture,
    platform: Platform,
    model: Path,
    output: Path,
    cloudpickle_version: str,
    *,
    model_class: str | None = None,
) -> Mapping[str, Any]:
    """Writes the bundle of a function and of a model that Spark saved in the directory `model`.

    Returns the report of the capture. Raises Failure as `capture_bundle`; PYSPARK_MISMATCH.
    """
    saved = read_saved_class(model, model_class)
    import_model_class(saved.name)
    warning = check_saved_by(saved, platform.pyspark)
    request = CaptureRequest(
        capture.function,
        capture.name,
        capture.version,
        capture.input_type,
        capture.sample,
        capture.reference,
        capture.by_value,
        _part(saved, platform, lambda target: _copy(model, target)),
    )
    result: CaptureResult = capture_bundle(request, output, cloudpickle_version)
    warnings = [*result.warnings, *([warning] if warning else [])]
    return {**result.to_json(), "warnings": warnings}


def _part(saved: SavedClass, platform: Platform, write: Callable[[Path], None]) -> SavedModel:
    # numpy: PySpark imports it for every model, and requires it of nobody
    modules = ["pyspark", "py4j", "numpy", saved.name.rpartition(".")[0]]
    modules += [name.rpartition(".")[0] or name for name in saved.foreign]
    locked = {"version": platform.pyspark, "javaMajor": platform.java.major, "modelClass": saved.name}
    return SavedModel("pyspark", {"pyspark": locked}, modules, write)


def _copy(model: Path, target: Path) -> None:
    try:
        shutil.copytree(model, target)
    except (OSError, shutil.Error) as error:
        raise Failure("CAPTURE_FAILED", f"the saved model {model} cannot be copied: {error}") from error

