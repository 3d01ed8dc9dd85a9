"""The function to capture: named as `FILE.py:NAME` or `package.module:NAME`, found and checked."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from clipper_runtime.failure import Failure, describe_exception
from clipper_runtime.search_path import leave_working_directory

_LAST_LINES = 20


@dataclass(frozen=True)
class CaptureTarget:
    """`file` when the function travels by value, else None: then `module` and `name` are its reference."""

    function: Any
    module: str
    name: str
    file: str | None


def load_target(text: str, parameters: Sequence[str] = ("inputs",)) -> CaptureTarget:
    """Runs the file once, or imports the module, and finds the function, which takes those parameters.

    Raises Failure: FUNCTION_NOT_FOUND, MODULE_MISSING, USER_CODE_RAISED, CAPTURE_FAILED (it cannot serve).
    """
    source, colon, name = text.rpartition(":")
    if not colon or not source or not name:
        raise Failure("FUNCTION_NOT_FOUND", f"{text!r} is neither FILE.py:NAME nor package.module:NAME")
    if source.endswith(".py"):
        module = _run_file(source)
        file: str | None = os.path.abspath(source)
    else:
        if os.getcwd() not in sys.path and "" not in sys.path:
            sys.path.insert(0, os.getcwd())
        module = run_users_code(source, lambda: importlib.import_module(source))
        file = None
    function = _find(module, name, source)
    check_function(function, name, parameters)
    return CaptureTarget(function, module.__name__, name, file)


def check_function(function: Any, name: str, parameters: Sequence[str] = ("inputs",)) -> None:
    """Raises Failure CAPTURE_FAILED for what is async, or cannot be called with those parameters."""
    if not callable(function):
        raise Failure("CAPTURE_FAILED", f"{name} is a {type(function).__name__}, which cannot be called")
    call = function if inspect.isroutine(function) else getattr(type(function), "__call__", None)  # noqa: B004
    for one in (function, call):
        if (
            inspect.iscoroutinefunction(one)
            or inspect.isasyncgenfunction(one)
            or inspect.isgeneratorfunction(one)
        ):
            kind = "a generator" if inspect.isgeneratorfunction(one) else "async"
            raise Failure(
                "CAPTURE_FAILED",
                f"{name} is {kind}",
                hint=f"write a plain function: {name}({', '.join(parameters)})",
            )
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # written in C: it does not say what it takes
    try:
        signature.bind(*parameters)
    except TypeError as error:
        raise Failure(
            "CAPTURE_FAILED",
            f"{name}{signature} cannot be called as {name}({', '.join(parameters)}): {error}",
        ) from error


def _run_file(path: str) -> Any:
    """Runs the file as a module of its own name: what stands below `if __name__ == "__main__"` is not run."""
    if not os.path.isfile(path):
        raise Failure("FUNCTION_NOT_FOUND", f"there is no file {path}", facts={"path": path})
    path = os.path.abspath(path)
    name = os.path.splitext(os.path.basename(path))[0]
    if name in sys.stdlib_module_names or name in sys.modules or not name.isidentifier():
        name = f"clipper_file_{name}"  # must not stand in the way of a module others import
    leave_working_directory()
    sys.path.insert(0, os.path.dirname(path))
    sys.argv = [path]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise Failure("FUNCTION_NOT_FOUND", f"{path} is not a Python file", facts={"path": path})
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader = spec.loader
    run_users_code(path, lambda: loader.exec_module(module))
    return module


def run_users_code(source: str, run: Callable[[], Any]) -> Any:
    """What `run` returns. Raises Failure MODULE_MISSING, FUNCTION_NOT_FOUND or USER_CODE_RAISED."""
    try:
        return run()
    except ModuleNotFoundError as error:
        if error.name and (error.name == source or source.startswith(error.name + ".")):
            raise Failure(
                "FUNCTION_NOT_FOUND", f"there is no module {error.name}", facts={"module": error.name}
            ) from error
        raise Failure(
            "MODULE_MISSING",
            f"{source} imports {error.name}, which is not installed in {sys.executable}",
            hint="install it there, or name another interpreter",
            facts={"module": error.name, "python": sys.executable},
        ) from error
    except BaseException as error:  # SystemExit too: it is the user's code
        lines = "".join(traceback.format_exception(type(error), error, error.__traceback__)).splitlines()
        raise Failure(
            "USER_CODE_RAISED",
            f"running {source} raised {describe_exception(error, 1024)}",
            facts={"exception": type(error).__name__, "traceback": lines[-_LAST_LINES:]},
        ) from error


def _find(module: Any, name: str, source: str) -> Any:
    found = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            names = sorted(
                one
                for one, value in vars(module).items()
                if inspect.isfunction(value) and not one.startswith("_")
            )
            raise Failure(
                "FUNCTION_NOT_FOUND",
                f"{source} has no {name}; its functions are {', '.join(names[:20]) or 'none'}",
                facts={"functions": names[:100]},
            ) from None
    return found
