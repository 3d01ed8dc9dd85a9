"""Which cloudpickle captures: the interpreter's own when recent enough, else a pinned one."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from pathlib import Path

from clipper_runtime.cache import cache_directory, held_lock, make_directory
from clipper_runtime.failure import Failure
from clipper_runtime.markers import version_key
from clipper_runtime.uv import Uv
from clipper_runtime.wheel_file import unpack_wheel
from clipper_runtime.wheelhouse import Wheelhouse

LEAST_VERSION = "2.2"
PINNED_VERSION = "3.1.2"


def choose_cloudpickle() -> str:
    """Makes `import cloudpickle` give a version of at least 2.2 in this process. Returns that version.

    Raises Failure CAPTURE_FAILED when there is none and none can be fetched.
    """
    try:
        installed = importlib.metadata.version("cloudpickle")
    except importlib.metadata.PackageNotFoundError:
        installed = None
    if installed is not None and version_key(installed) >= version_key(LEAST_VERSION):
        importlib.import_module("cloudpickle")
        return installed
    if "cloudpickle" in sys.modules:
        raise Failure(
            "CAPTURE_FAILED",
            f"cloudpickle {installed} is imported already, and capture needs {LEAST_VERSION} or later",
            hint=f"install cloudpickle>={LEAST_VERSION} in {sys.executable}",
        )
    sys.path.insert(0, str(_fetched()))
    importlib.import_module("cloudpickle")
    return PINNED_VERSION


def _fetched() -> Path:
    """A directory to put on `sys.path` that holds the pinned version and nothing else."""
    minor = "%d.%d" % sys.version_info[:2]
    target = cache_directory() / "cloudpickle" / f"{PINNED_VERSION}-{minor}"
    with held_lock(target.with_name(target.name + ".lock")):
        if not target.exists():
            make_directory(target, _fetch)
    return target


def _fetch(directory: Path) -> None:
    pin = f"cloudpickle=={PINNED_VERSION}"
    uv = Uv.find(sys.executable)
    said = "uv was not found"
    if uv is not None:
        options = ("--target", str(directory), "--python", sys.executable, "--no-deps", "--quiet")
        result = uv.run("pip", "install", *options, pin)
        if result.ok:
            return
        said = f"uv said: {result.said}"
    try:
        for wheel in Wheelhouse(sys.executable).wheels({"cloudpickle": PINNED_VERSION}):
            unpack_wheel(wheel, directory)
    except Failure as failure:
        raise Failure(
            "CAPTURE_FAILED",
            f"cloudpickle {LEAST_VERSION} or later is not installed in {sys.executable}, and cloudpickle"
            f" {PINNED_VERSION} could not be fetched: {said}; {failure.message}",
            hint=f"install cloudpickle>={LEAST_VERSION} in {sys.executable}",
        ) from failure
