"""Pickling a function by value, so that equal functions give equal bytes, and noting what is in it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clipper_runtime.failure import Failure

MAX_CAPTURE_BYTES = 512 * 1024 * 1024
WARN_CAPTURE_BYTES = 50 * 1024 * 1024


class FunctionCode:
    """Code objects that travelled by value, with the package their relative imports count from."""

    def __init__(self) -> None:
        self.found: list[tuple[types.CodeType, str, str]] = []

    def note(self, function: types.FunctionType) -> None:
        scope = function.__globals__
        package = scope.get("__package__") or ""
        self.found.append((function.__code__, package, function.__qualname__))


def pickle_to_file(value: Any, path: Path) -> FunctionCode:
    """Pickles `value` into `path` piece by piece.

    Raises Failure CAPTURE_TOO_LARGE, or whatever pickling raises.
    """
    code = FunctionCode()
    with open(path, "wb") as file:
        _pickler_class()(_LimitedWriter(file), code).dump(value)
    return code


@contextlib.contextmanager
def without_directories(module: types.ModuleType) -> Iterator[None]:
    """Meanwhile the module's `__file__`, which travels with its functions, is the file's name alone."""
    path = getattr(module, "__file__", None)
    if path is None:
        yield
        return
    module.__file__ = os.path.basename(path)
    try:
        yield
    finally:
        module.__file__ = path


def pickled_bytes(value: Any) -> int:
    """How many bytes `value` takes when pickled. Raises whatever pickling it raises."""
    counter = _Counter()
    _pickler_class()(counter, FunctionCode()).dump(value)
    return counter.total


def _pickler_class() -> type:
    # cloudpickle is imported as late as this: which one it is may have been decided by `cloudpickle_choice`
    import cloudpickle

    class Pickler(cloudpickle.CloudPickler):
        def __init__(self, file: Any, code: FunctionCode) -> None:
            super().__init__(file, protocol=pickle.DEFAULT_PROTOCOL)
            self._code = code
            self._classes = 0

        def reducer_override(self, value: Any) -> Any:
            if isinstance(value, type):
                self._name_class(value)
            if isinstance(value, types.CodeType):
                return self._reduce_code(value)
            reduced = super().reducer_override(value)
            if reduced is not NotImplemented and isinstance(value, types.FunctionType):
                self._code.note(value)
                _add_submodules(value, reduced)
            return reduced

        def _reduce_code(self, value: types.CodeType) -> Any:
            """Code without its directory, which must neither travel nor change the digest."""
            name = value.co_filename
            if os.path.isabs(name):
                value = value.replace(co_filename=os.path.basename(name))
            return self.dispatch_table[types.CodeType](value)

        def _name_class(self, value: type) -> None:
            """Gives a class that travels by value a repeatable id; cloudpickle's own is random."""
            trackers = getattr(cloudpickle.cloudpickle, "_DYNAMIC_CLASS_TRACKER_BY_CLASS", None)
            classes = getattr(cloudpickle.cloudpickle, "_DYNAMIC_CLASS_TRACKER_BY_ID", None)
            if trackers is None or classes is None or value in trackers:
                return
            self._classes += 1
            name = f"{value.__module__}\n{value.__qualname__}\n{self._classes}"
            identifier = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32]
            if identifier not in classes:
                trackers[value] = identifier
                classes[identifier] = value

    return Pickler


def _add_submodules(function: types.FunctionType, reduced: Any) -> None:
    """Adds the imported submodules that only code nested in `function` names, as in `[a.b.f(x) for x in y]`.

    cloudpickle looks at the outermost code alone; without them the replica finds no attribute `b` of `a`.
    """
    state = reduced[2][1] if len(reduced) > 2 and isinstance(reduced[2], tuple) else {}
    found = state.get("_cloudpickle_submodules")
    if not isinstance(found, list):
        return
    names = names_of_code(function.__code__)
    held = [*state.get("__globals__", {}).values(), *(one for _, one in closure_values(function))]
    for package in held:
        if isinstance(package, types.ModuleType) and hasattr(package, "__path__"):
            prefix = package.__name__ + "."
            for name, module in sorted((n, m) for n, m in list(sys.modules.items()) if n.startswith(prefix)):
                if names.issuperset(name[len(prefix) :].split(".")) and module not in found:
                    found.append(module)


def closure_values(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """What the function closes over, by name; cells nobody assigned yet are left out."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        with contextlib.suppress(ValueError):
            yield name, cell.cell_contents


def names_of_code(code: types.CodeType) -> set[str]:
    """Globals and attributes that the code and all code nested in it name."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= names_of_code(constant)
    return names


class _LimitedWriter:
    """A file that takes no more than MAX_CAPTURE_BYTES."""

    def __init__(self, file: io.BufferedWriter) -> None:
        self._file = file
        self._total = 0

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self._total += size
        if self._total > MAX_CAPTURE_BYTES:
            raise Failure(
                "CAPTURE_TOO_LARGE",
                f"the function captures more than {MAX_CAPTURE_BYTES // 2**20} MiB",
                hint="load what is large from a file or a store when the function is first called",
                facts={"limitBytes": MAX_CAPTURE_BYTES},
            )
        self._file.write(data)
        return size


class _Counter:
    def __init__(self) -> None:
        self.total = 0

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.total += size
        return size
