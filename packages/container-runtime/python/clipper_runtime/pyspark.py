"""Saving a PySpark model with its function from a live session or notebook, for `clipper deploy --bundle`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from clipper_runtime.capture_bundle import NO_SAMPLE, check_request
from clipper_runtime.capture_target import check_function
from clipper_runtime.cloudpickle_choice import choose_cloudpickle
from clipper_runtime.failure import Failure
from clipper_runtime.markers import version_key
from clipper_runtime.pyspark_capture_bundle import (
    FUNCTION_PARAMETERS,
    PysparkCapture,
    capture_saved_model,
)
from clipper_runtime.pyspark_saved_model import class_of_model, save_model
from clipper_runtime.pyspark_versions import check_platform


def save_bundle(
    spark: Any,
    model: Any,
    function: Any,
    path: str | os.PathLike[str],
    *,
    name: str,
    version: str | int,
    input_type: str,
    sample: Any = NO_SAMPLE,
) -> str:
    """Writes `model`, by Spark's own writer, and `function(spark, model, inputs)` as a model bundle to `path`.

    Returns the bundle's digest. Session and model stay as they are. `sample` is one input as JSON would hold it
    (bytes as base64 text). Raises Failure, as the command `clipper_runtime.pyspark_capture` reports.
    """
    check_request(name, str(version), input_type, sample)
    check_function(function, getattr(function, "__qualname__", type(function).__qualname__), FUNCTION_PARAMETERS)
    _check_session(spark)
    class_of_model(model)
    platform = check_platform()
    if version_key(spark.version) != version_key(platform.pyspark):
        raise Failure(
            "PYSPARK_MISMATCH",
            f"the session runs Spark {spark.version}, and PySpark {platform.pyspark} is installed",
            hint="unset SPARK_HOME, or install the PySpark of that Spark",
            facts={"spark": spark.version, "pyspark": platform.pyspark},
        )
    with tempfile.TemporaryDirectory(prefix="clipper-model-") as directory:
        saved = Path(directory) / "model"
        save_model(spark, model, saved)
        capture = PysparkCapture(function, name, str(version), input_type, sample)
        report = capture_saved_model(capture, platform, saved, Path(path), choose_cloudpickle())
    return str(report["digest"])


def _check_session(spark: Any) -> None:
    context = None
    if type(spark).__module__ in ("pyspark.sql.session", "pyspark.sql.classic.session"):
        context = spark.sparkContext
    if context is None:
        raise Failure(
            "CAPTURE_FAILED",
            f"a {type(spark).__module__}.{type(spark).__qualname__} cannot save a model for a replica",
            hint="hand over the SparkSession of a session on this machine, not one of Spark Connect",
        )
