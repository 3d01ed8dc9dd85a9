"""Where a module comes from: standard library, distribution, or the user's own files."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from dataclasses import dataclass

from clipper_runtime.conda import CondaPrefix
from clipper_runtime.failure import Failure
from clipper_runtime.installed import (
    Distribution,
    Installed,
    is_under,
    site_directories,
    standard_library_directories,
)

_EXTENSIONS = tuple(importlib.machinery.EXTENSION_SUFFIXES)


@dataclass(frozen=True)
class ModuleOrigin:
    """`kind`: standard · namespace · distribution (of `owners`) · local (at `path`) · missing."""

    kind: str
    owners: tuple[Distribution, ...] = ()
    path: str | None = None


class ModuleOrigins:
    """Finds origins and remembers them.

    Nothing is imported that was not imported already, parent packages apart.
    """

    def __init__(self, installed: Installed) -> None:
        self._installed = installed
        self._conda = CondaPrefix.of_this_interpreter()
        self._known: dict[str, ModuleOrigin] = {}

    def find(self, module: str) -> ModuleOrigin:
        """Raises Failure CONDA_PACKAGE_UNAVAILABLE or LOCAL_EXTENSION."""
        origin = self._known.get(module)
        if origin is None:
            origin = self._known[module] = self._find(module)
        return origin

    def is_there(self, module: str) -> bool:
        """Whether it can be found at all."""
        return self.find(module).kind != "missing"

    def _find(self, module: str) -> ModuleOrigin:
        top = module.partition(".")[0]
        if (
            top in sys.stdlib_module_names
            or top in sys.builtin_module_names
            or top in ("__main__", "clipper_runtime")
        ):
            return ModuleOrigin("standard")
        if top == "cloudpickle":
            return ModuleOrigin("distribution", tuple(self._installed.owners(top, None)))
        path = find_path(module) or find_path(top)
        if path is None:
            return ModuleOrigin("missing")
        owners = self._installed.owners(module, path)
        if len(owners) > 1 and os.path.isdir(path):
            return ModuleOrigin("namespace")  # several share it; what is used of it is found by its own name
        if owners:
            return ModuleOrigin("distribution", tuple(owners))
        in_site = is_under(path, site_directories())
        if not in_site and is_under(path, standard_library_directories()):
            return ModuleOrigin("standard")
        conda = self._conda.owner(path) if self._conda else None
        if conda is not None:
            raise Failure(
                "CONDA_PACKAGE_UNAVAILABLE",
                f"the function imports {module} of the conda package {conda}, no Python distribution",
                hint="use a package that is also on the Python package index, or pass an image that has it",
                facts={"module": module, "condaPackage": conda},
            )
        if path.endswith(_EXTENSIONS):
            raise Failure(
                "LOCAL_EXTENSION",
                f"the function imports {module}, a compiled module of your own at {path}",
                hint="make it a package, build a wheel of it, and install that",
                facts={"module": module, "path": path},
            )
        return ModuleOrigin("local", path=path)


def find_path(module: str) -> str | None:
    """The file of `module`, or its directory for a package without `__init__.py`; None when there is none."""
    loaded = sys.modules.get(module)
    spec = getattr(loaded, "__spec__", None)
    if spec is None and loaded is not None:
        return getattr(loaded, "__file__", None)
    if spec is None:
        parent, _, _ = module.rpartition(".")
        if parent and find_path(parent) is None:
            return None
        try:
            spec = importlib.util.find_spec(module)
        except Exception:  # finding a submodule imports its parents, which may raise anything
            return None
    if spec is None:
        return None
    if spec.origin and spec.has_location:
        return os.path.abspath(spec.origin)
    locations = list(spec.submodule_search_locations or ())
    return os.path.abspath(locations[0]) if locations else None
