"""What is installed in the running interpreter: which distribution owns a module, and what it requires."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from clipper_runtime.bundle import normalise_name
from clipper_runtime.markers import marker_holds, parse_requirement

_SUFFIXES = (".py", ".so", ".pyd", ".pyc")


class Distribution:
    """One installed distribution."""

    def __init__(self, found: importlib.metadata.Distribution) -> None:
        self._found = found
        self.name = normalise_name(found.metadata["Name"])
        self.version: str = found.version

    @cached_property
    def is_editable(self) -> bool:
        """Installed in place from a source tree (`pip install -e`): its modules count as local."""
        return bool(self._direct_url.get("dir_info", {}).get("editable", False))

    @cached_property
    def origin(self) -> str | None:
        """The URL it was installed from when that was no index, credentials left out."""
        url = self._direct_url.get("url")
        if url is None:
            return None
        scheme, separator, rest = url.partition("://")
        return scheme + separator + rest.rsplit("@", 1)[-1] if separator else url

    @cached_property
    def files(self) -> frozenset[str]:
        """Absolute paths of its files, as far as it recorded them."""
        return frozenset(os.path.normpath(self._found.locate_file(name)) for name in self._recorded)

    @cached_property
    def top_level(self) -> frozenset[str]:
        """Names of the modules it brings, without dots."""
        declared = self._found.read_text("top_level.txt")
        if declared and self._recorded == ():
            return frozenset(declared.split())
        names = set((declared or "").split())
        for name in self._recorded:
            first, slash, _ = name.partition("/")
            if slash and not first.endswith((".dist-info", ".egg-info", ".data")) and first.isidentifier():
                if name.endswith(_SUFFIXES):
                    names.add(first)
            elif not slash and first.endswith(_SUFFIXES):
                names.add(first.partition(".")[0])
        return frozenset(names)

    def requirements(self, extras: frozenset[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Normalised names it requires here with those extras of its own, and the extras asked of each."""
        for line in self._found.requires or ():
            requirement = parse_requirement(line)
            if requirement and any(marker_holds(requirement.marker, extra) for extra in {"", *extras}):
                yield normalise_name(requirement.name), requirement.extras

    @cached_property
    def _recorded(self) -> tuple[str, ...]:
        record = self._found.read_text("RECORD")
        if record is not None:
            # paths with a comma are quoted; none of those is a module
            return tuple(line.partition(",")[0] for line in record.splitlines())
        return tuple(str(file) for file in self._found.files or ())

    @cached_property
    def _direct_url(self) -> Mapping:
        text = self._found.read_text("direct_url.json")
        try:
            found = json.loads(text) if text else {}
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Installed:
    """All distributions on `sys.path`, the first of each name."""

    def __init__(self) -> None:
        self.by_name: dict[str, Distribution] = {}
        for found in importlib.metadata.distributions():
            try:
                distribution = Distribution(found)
            except (TypeError, AttributeError, KeyError):
                continue  # a half-removed package: a dist-info without METADATA
            self.by_name.setdefault(distribution.name, distribution)

    def owners(self, module: str, path: str | None) -> list[Distribution]:
        """The distributions that brought `module` (dotted), which was found at `path`. Editable ones own
        nothing.

        Several when a namespace is shared and the file is in nobody's record.
        """
        top = module.partition(".")[0]
        candidates = [one for one in self._by_top_level.get(top, ()) if not one.is_editable]
        if path is not None:
            path = os.path.normpath(path)
            exact = [one for one in candidates if path in one.files]
            if exact or not is_under(path, site_directories()):
                return exact
        return candidates

    def closure(self, names: Mapping[str, frozenset[str]]) -> dict[str, str]:
        """Those distributions and all they require as installed, each with the name that asked for it ("" for
        the first).

        What is required and not installed is left out: it was not needed here either.
        """
        reasons: dict[str, str] = {}
        done: set[tuple[str, str]] = set()
        waiting = [(name, "", extras) for name, extras in sorted(names.items())]
        while waiting:
            name, reason, extras = waiting.pop(0)
            distribution = self.by_name.get(name)
            if distribution is None:
                continue
            reasons.setdefault(name, reason)
            fresh = {extra for extra in {"", *extras} if (name, extra) not in done}
            done.update((name, extra) for extra in fresh)
            if fresh:
                for required, asked in sorted(distribution.requirements(frozenset(fresh))):
                    waiting.append((required, name, frozenset(asked)))
        return reasons

    @cached_property
    def _by_top_level(self) -> Mapping[str, list[Distribution]]:
        owners: dict[str, list[Distribution]] = {}
        for distribution in self.by_name.values():
            for name in distribution.top_level:
                owners.setdefault(name, []).append(distribution)
        return owners


def site_directories() -> tuple[str, ...]:
    """Where installers put packages: what lies there and belongs to nobody is still no standard library."""
    found = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    found.update(path for path in sys.path if Path(path).name in ("site-packages", "dist-packages"))
    return tuple(sorted(os.path.normpath(path) for path in found if path))


def standard_library_directories() -> tuple[str, ...]:
    found = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), os.path.dirname(os.__file__)}
    return tuple(sorted(os.path.normpath(path) for path in found if path))


def is_under(path: str, directories: tuple[str, ...]) -> bool:
    path = os.path.normpath(path)
    return any(path == directory or path.startswith(directory + os.sep) for directory in directories)
