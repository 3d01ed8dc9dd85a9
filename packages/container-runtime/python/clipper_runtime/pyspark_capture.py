"""Captures a PySpark model with its function as a model bundle. `python -m clipper_runtime.pyspark_capture --help`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clipper_runtime.capture_bundle import check_request
from clipper_runtime.capture_command import read_sample
from clipper_runtime.capture_target import check_function, load_target, run_users_code
from clipper_runtime.cloudpickle_choice import choose_cloudpickle
from clipper_runtime.failure import Failure
from clipper_runtime.pyspark_capture_bundle import (
    FUNCTION_PARAMETERS,
    PysparkCapture,
    capture_saved_model,
)
from clipper_runtime.pyspark_saved_model import read_saved_class, save_model
from clipper_runtime.pyspark_session import SparkSettings, parse_conf, start_session
from clipper_runtime.pyspark_versions import Platform, check_platform
from clipper_runtime.report import run_command


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="clipper_runtime.pyspark_capture", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model-path", type=Path, help="directory of a model that Spark saved")
    source.add_argument("--build", help="FILE.py:NAME; NAME(spark) returns (function, model)")
    parser.add_argument("--function", help="FILE.py:NAME or package.module:NAME; with --model-path")
    parser.add_argument("--model-class", help="class that loads it; default: what the saved model says")
    parser.add_argument("--name", required=True, help="name of the model")
    parser.add_argument("--version", required=True, help="version of the model")
    parser.add_argument("--input-type", required=True, help="integers, floats, doubles, strings or bytes")
    parser.add_argument("--output", required=True, type=Path, help="directory of the bundle")
    parser.add_argument("--sample", help="one input as JSON, or @FILE")
    parser.add_argument("--spark-conf", default="{}", help="settings of the session for --build, as JSON, or @FILE")
    parser.add_argument("--report", type=Path, help="file for the result; default: standard output")
    options = parser.parse_args(arguments)
    if (options.function is None) != (options.model_path is None):
        parser.error("--function and --model-path go together")
    return run_command(options.report, lambda: _capture(options))


def _capture(options: argparse.Namespace) -> Mapping[str, Any]:
    sample = read_sample(options.sample)
    check_request(options.name, options.version, options.input_type, sample)
    platform = check_platform()
    identity = (options.name, options.version, options.input_type, sample)
    cloudpickle_version = choose_cloudpickle()
    if options.build is not None:
        return _capture_built(options, platform, identity, cloudpickle_version)
    read_saved_class(options.model_path)  # before the user's file runs
    target = load_target(options.function, FUNCTION_PARAMETERS)
    capture = PysparkCapture(
        target.function,
        *identity,
        reference=None if target.file else (target.module, target.name),
        by_value=sys.modules[target.module] if target.file else None,
    )
    model, output = options.model_path, options.output
    return capture_saved_model(
        capture, platform, model, output, cloudpickle_version, model_class=options.model_class
    )


def _capture_built(
    options: argparse.Namespace, platform: Platform, identity: tuple[Any, ...], cloudpickle_version: str
) -> Mapping[str, Any]:
    """Runs the training script's function in a session of ours, which is stopped before anything is pickled."""
    conf = options.spark_conf
    settings = SparkSettings(0, parse_conf(Path(conf[1:]).read_text("utf-8") if conf.startswith("@") else conf))
    with tempfile.TemporaryDirectory(prefix="clipper-model-") as directory:
        saved = Path(directory) / "model"
        # before the file runs: what asks for a session there gets this one
        session = start_session(f"clipper build of {options.name}", platform.java, settings)
        try:
            target = load_target(options.build, ("spark",))
            built = run_users_code(options.build, lambda: target.function(session.spark))
            function, model = _parts(built, options.build)
            save_model(session.spark, model, saved)
        finally:
            session.stop()
        by_value = sys.modules[target.module] if target.file else None
        capture = PysparkCapture(function, *identity, by_value=by_value)
        return capture_saved_model(capture, platform, saved, options.output, cloudpickle_version)


def _parts(built: Any, name: str) -> tuple[Any, Any]:
    """Raises Failure CAPTURE_FAILED unless it is a pair of a function and something else."""
    if not isinstance(built, tuple) or len(built) != 2:
        raise Failure(
            "CAPTURE_FAILED",
            f"{name} returned a {type(built).__name__}, and a pair is due",
            hint="end it with: return predict, model",
        )
    function, model = built
    if not callable(function) and callable(model):
        raise Failure("CAPTURE_FAILED", f"{name} returned the model first", hint="return predict, model")
    check_function(function, getattr(function, "__qualname__", "the function"), FUNCTION_PARAMETERS)
    return function, model


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # as with `capture`: what the user's code left behind must not keep this process; Spark's Java ends with it
    os._exit(status)
