"""Unpacking a wheel into an environment with the standard library: what an installer does for `--no-deps`."""

from __future__ import annotations

import configparser
import os
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from clipper_runtime.failure import Failure

#: Finds the interpreter beside itself, so that the environment may be moved.
_SHEBANG = """#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python' "$0" "$@"
' '''
"""
_ENTRY_POINT = """import sys

from {module} import {first}

if __name__ == "__main__":
    sys.exit({function}())
"""


def unpack_wheel(wheel: Path, site_packages: Path, root: Path | None = None) -> None:
    """Puts the wheel's modules into `site_packages`; its scripts and data below `root`, left out without one.

    Raises Failure ENVIRONMENT_FAILED when it is no wheel, or holds a path that would leave the directory.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                if not entry.is_dir():
                    target = _target(entry.filename, site_packages, root)
                    if target is not None:
                        _extract(archive, entry, target)
            if root is not None:
                _write_entry_points(archive, root)
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise Failure("ENVIRONMENT_FAILED", f"{wheel.name} cannot be unpacked: {error}") from error


def _target(name: str, site_packages: Path, root: Path | None) -> Path | None:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name:
        raise Failure("ENVIRONMENT_FAILED", f"a wheel holds the path {name!r}, which leaves its directory")
    if not parts[0].endswith(".data") or len(parts) < 3:
        return site_packages.joinpath(*parts)
    if parts[1] in ("purelib", "platlib"):
        return site_packages.joinpath(*parts[2:])
    if root is None or parts[1] not in ("scripts", "data"):
        return None  # headers serve no replica
    return root.joinpath("bin", *parts[2:]) if parts[1] == "scripts" else root.joinpath(*parts[2:])


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    is_script = target.parent.name == "bin" and ".data/scripts/" in entry.filename
    with archive.open(entry) as source, open(target, "wb") as file:
        if is_script:
            first = source.readline()
            file.write(_SHEBANG.encode() if first.startswith(b"#!python") else first)
        shutil.copyfileobj(source, file, 1024 * 1024)
    if is_script or (entry.external_attr >> 16) & stat.S_IXUSR:
        os.chmod(target, 0o755)


def _write_entry_points(archive: zipfile.ZipFile, root: Path) -> None:
    for name in archive.namelist():
        if not name.endswith(".dist-info/entry_points.txt") or name.count("/") != 1:
            continue
        parser = configparser.RawConfigParser(delimiters=("=",))
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(archive.read(name).decode("utf-8"))
        for script, reference in (
            parser.items("console_scripts") if parser.has_section("console_scripts") else ()
        ):
            module, _, function = reference.partition("[")[0].strip().partition(":")
            if "/" in script or not function:
                continue
            path = root / "bin" / script
            path.parent.mkdir(parents=True, exist_ok=True)
            first = function.partition(".")[0]
            path.write_text(
                _SHEBANG + _ENTRY_POINT.format(module=module, first=first, function=function), "utf-8"
            )
            os.chmod(path, 0o755)
