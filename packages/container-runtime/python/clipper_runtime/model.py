"""A bundle's function, loaded and ready to be called with a list of inputs."""

from __future__ import annotations

import importlib
import math
import pickle
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clipper_runtime.bundle import MODULES, Bundle
from clipper_runtime.failure import Failure, describe_exception
from clipper_runtime.inputs import InputReader, numpy_for

Function = Callable[[list], Any]
#: Told in one sentence that the model can answer no more in this process.
OnLost = Callable[[str], None]


@dataclass(frozen=True)
class Loaded:
    """What a runtime makes of a bundle.

    `call` takes one value per input and returns what the function does; `close` frees what it holds.
    `watch` is told of whom to tell when what it holds is lost. `retry_seconds`: how long after its first
    failure a batch is called again in parts, where a call costs much however small it is. `warm_up`: sizes of
    the batches of samples that it is called with before a replica says that it is ready.
    """

    call: Function
    close: Callable[[], None] = lambda: None
    watch: Callable[[OnLost], None] = lambda on_lost: None
    retry_seconds: float = math.inf
    warm_up: Sequence[int] = (1,)


@dataclass(frozen=True)
class Model:
    """A bundle's function, with what reads its inputs."""

    bundle: Bundle
    inputs: InputReader
    loaded: Loaded

    @property
    def call(self) -> Function:
        return self.loaded.call


def load_model(bundle: Bundle) -> Model:
    """Loads the bundle's function in this interpreter.

    Raises Failure: PYTHON_MISMATCH (both versions named), MODULE_MISSING (the module named), BUNDLE_INVALID.
    """
    check_python(bundle)
    modules = str((bundle.directory / MODULES).absolute())
    if modules not in sys.path:
        sys.path.insert(0, modules)
    load = _RUNTIMES.get(bundle.manifest["runtime"])
    if load is None:
        raise Failure(
            "BUNDLE_INVALID",
            f"the bundle's runtime is {bundle.manifest['runtime']!r}; known are {', '.join(_RUNTIMES)}",
        )
    loaded = load(bundle)
    return Model(bundle, InputReader(bundle.input_type, numpy_for(bundle.locked(), sys.modules)), loaded)


def check_python(bundle: Bundle) -> None:
    """Raises Failure PYTHON_MISMATCH: pickled code loads in the minor that wrote it only."""
    minor = "%d.%d" % sys.version_info[:2]
    wanted = bundle.manifest["pythonMinor"]
    if minor != wanted:
        raise Failure(
            "PYTHON_MISMATCH",
            f"the function was captured by Python {wanted}, and this is Python {minor}",
            hint=f"run it by Python {wanted}, or capture it again by Python {minor}",
            facts={"bundle": wanted, "interpreter": minor},
        )


def load_function(bundle: Bundle) -> Function:
    """The bundle's callable. Raises Failure MODULE_MISSING or BUNDLE_INVALID, whatever loading it raises."""
    entry = bundle.manifest["entry"]
    try:
        if entry["kind"] == "pickle":
            with open(bundle.directory / entry["file"], "rb") as file:
                function = pickle.load(file)
        else:
            function = importlib.import_module(entry["module"])
            for name in entry["function"].split("."):
                function = getattr(function, name)
    except ImportError as error:
        raise module_missing(error) from error
    except (
        BaseException
    ) as error:  # unpickling runs the user's code, which may raise anything, SystemExit too
        raise Failure(
            "BUNDLE_INVALID", f"the function cannot be loaded: {describe_exception(error)}"
        ) from error
    if not callable(function):
        raise Failure(
            "BUNDLE_INVALID", f"the bundle's entry is a {type(function).__name__}, which cannot be called"
        )
    return function


def module_missing(error: ImportError) -> Failure:
    """Says which module could not be imported, and what to do about it."""
    module = error.name or ""
    hint = (
        f"import {module} where capture can see it, at the top of the file or inside the function, with its"
        " package installed in the interpreter that captures"
        if isinstance(error, ModuleNotFoundError)
        else "the package is there but does not load here; a shared library it needs may be missing"
    )
    return Failure("MODULE_MISSING", describe_exception(error), hint=hint, facts={"module": module})


def _load_python(bundle: Bundle) -> Loaded:
    return Loaded(load_function(bundle))


def _load_pyspark(bundle: Bundle) -> Loaded:
    from clipper_runtime.pyspark_runtime import load_pyspark

    return load_pyspark(bundle, load_function)


#: How each `runtime` of a manifest gets its callable.
_RUNTIMES: Mapping[str, Callable[[Bundle], Loaded]] = {"python": _load_python, "pyspark": _load_pyspark}
