"""The user's own modules that a function needs, and copying them into a bundle's `modules/`."""

from __future__ import annotations

import importlib.machinery
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from clipper_runtime.failure import Failure
from clipper_runtime.imports import imports_of_source
from clipper_runtime.module_origin import ModuleOrigin, ModuleOrigins

_LEFT_OUT_DIRECTORIES = frozenset(
    {"__pycache__", ".git", ".hg", ".svn", ".venv", ".tox", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
    | {".ipynb_checkpoints", "node_modules"}
)
_LEFT_OUT_SUFFIXES = (".pyc", ".pyo")
_EXTENSIONS = tuple(importlib.machinery.EXTENSION_SUFFIXES)


class ModuleWalk:
    """Follows imports from where it is told to start: local modules by their source, distributions not at
    all.

    `rules` tells for each distribution how it was found, `local` the path of each top-level local module.
    """

    def __init__(self, origins: ModuleOrigins) -> None:
        self._origins = origins
        self._seen: set[str] = set()
        self.local: dict[str, str] = {}
        self.rules: dict[str, dict[str, str]] = {}
        self.missing: dict[str, str] = {}

    def add(self, module: str, rule: str, source: str) -> None:
        """`rule` says how `module` was found (`pickle`, `function`, `import`, `entry`), `source` in what."""
        waiting = [(module, rule, source, False)]
        while waiting:
            name, rule, source, is_optional = waiting.pop()
            if name in self._seen:
                continue
            self._seen.add(name)
            origin = self._origins.find(name)
            if origin.kind == "distribution":
                for owner in origin.owners:
                    self.rules.setdefault(owner.name, {"rule": rule, "module": name, "source": source})
            elif origin.kind == "local":
                self._add_top(name)
                waiting += [
                    (found, "import", name, optional) for found, optional in self._imports(name, origin)
                ]
                parent = name.rpartition(".")[0]
                if parent:
                    waiting.append((parent, "import", name, False))
            elif origin.kind == "missing" and not is_optional:
                self.missing.setdefault(name, source)

    def _add_top(self, name: str) -> None:
        top = name.partition(".")[0]
        if top not in self.local:
            path = self._origins.find(top).path
            if path is None:
                raise Failure(
                    "CAPTURE_FAILED", f"{name} is a local module, but {top} is not", facts={"module": name}
                )
            self.local[top] = (
                os.path.dirname(path) if os.path.basename(path).startswith("__init__.") else path
            )

    def _imports(self, name: str, origin: ModuleOrigin) -> Iterator[tuple[str, bool]]:
        path = origin.path or ""
        if not path.endswith(".py"):
            return
        try:
            source = Path(path).read_bytes()
            is_package = os.path.basename(path) == "__init__.py"
            yield from imports_of_source(source, name, is_package, path)
        except (OSError, SyntaxError, ValueError) as error:
            raise Failure(
                "CAPTURE_FAILED",
                f"the local module {name} ({path}) cannot be read: {error}",
                facts={"module": name},
            ) from error


def copy_local_modules(local: dict[str, str], target: Path) -> int:
    """Copies modules (files) and packages (whole directories) below `target`. Returns the bytes copied.

    Raises Failure LOCAL_EXTENSION for a compiled module in a package, CAPTURE_FAILED for a link that leaves
    it.
    """
    total = 0
    for name, path in sorted(local.items()):
        if os.path.isdir(path):
            for relative in _package_files(name, path):
                total += _copy(os.path.join(path, relative), target / name / relative)
        else:
            total += _copy(path, target / os.path.basename(path))
    return total


def _package_files(name: str, root: str) -> Iterable[str]:
    """Files of a package, relative, sorted.

    Links to files inside are followed; what leaves the package is an error.
    """
    real_root = os.path.realpath(root)
    found: list[str] = []
    for directory, directories, files in os.walk(root):
        directories[:] = sorted(
            one for one in directories if one not in _LEFT_OUT_DIRECTORIES and not one.endswith(".egg-info")
        )
        for one in directories + files:
            path = os.path.join(directory, one)
            if os.path.islink(path):
                _check_link(name, path, real_root)
        for one in files:
            path = os.path.join(directory, one)
            if one.endswith(_LEFT_OUT_SUFFIXES) or not os.path.isfile(path):
                continue
            if one.endswith(_EXTENSIONS):
                raise Failure(
                    "LOCAL_EXTENSION",
                    f"the local package {name} holds a compiled module, {path}",
                    hint="build a wheel of the package and install that where you deploy from",
                    facts={"module": name, "path": path},
                )
            found.append(os.path.relpath(path, root))
    return sorted(found)


def _check_link(name: str, path: str, real_root: str) -> None:
    target = os.path.realpath(path)
    if target != real_root and not target.startswith(real_root + os.sep):
        what = f"leads out of the package, to {target}"
    elif os.path.isdir(target):
        what = f"leads to the directory {target}; links to directories are not followed"
    elif not os.path.exists(target):
        what = "leads nowhere"
    else:
        return
    raise Failure(
        "CAPTURE_FAILED", f"the link {path} in the local package {name} {what}", facts={"path": path}
    )


def _copy(source: str, target: Path) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return os.path.getsize(target)
