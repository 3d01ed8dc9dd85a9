"""Builds the wheel of this directory with the standard library alone: `python3 build_wheel.py ../dist`.

Equal sources give equal bytes: order, times and modes are fixed, and nothing is compressed. The version is
that of the npm package; `__version__` follows it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_PACKAGE = _HERE / "clipper_runtime"
_VERSION = re.compile(r'^__version__ = ".*"$', re.MULTILINE)
_TIME = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644 << 16


def build_wheel(output: Path) -> Path:
    """Returns the path of the wheel; wheels of other versions in `output` are removed."""
    version = json.loads((_HERE.parent / "package.json").read_text("utf-8"))["version"]
    _set_version(version)
    info = f"clipper_runtime-{version}.dist-info"
    files = {f"clipper_runtime/{path.name}": path.read_bytes() for path in sorted(_PACKAGE.glob("*.py"))}
    files[f"{info}/METADATA"] = _metadata(version)
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: clipper-runtime\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{info}/RECORD"] = _record(files, f"{info}/RECORD")
    output.mkdir(parents=True, exist_ok=True)
    for old in output.glob("clipper_runtime-*.whl"):
        old.unlink()
    wheel = output / f"clipper_runtime-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = 3
            entry.external_attr = _FILE_MODE
            archive.writestr(entry, data)
    return wheel


def _set_version(version: str) -> None:
    path = _PACKAGE / "__init__.py"
    text = path.read_text("utf-8")
    updated = _VERSION.sub(f'__version__ = "{version}"', text)
    if updated != text:
        path.write_text(updated, "utf-8")


def _metadata(version: str) -> bytes:
    project = (_HERE / "pyproject.toml").read_text("utf-8")
    lines = ["Metadata-Version: 2.1", "Name: clipper-runtime", f"Version: {version}"]
    for header, key in (("Summary", "description"), ("Requires-Python", "requires-python")):
        found = re.search(rf'^{key} = "(.*)"$', project, re.MULTILINE)
        if found is None:
            raise ValueError(f"pyproject.toml has no {key}")
        lines.append(f"{header}: {found[1]}")
    found = re.search(r"^dependencies = (\[.*\])$", project, re.MULTILINE)
    if found is None:
        raise ValueError("pyproject.toml has no dependencies on one line")
    lines += [f"Requires-Dist: {one}" for one in json.loads(found[1])]
    return "\n".join([*lines, "License: Apache-2.0", "", ""]).encode()


def _record(files: dict[str, bytes], own_name: str) -> bytes:
    lines = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    return "".join([*lines, f"{own_name},,\n"]).encode()


if __name__ == "__main__":
    print(build_wheel(Path(sys.argv[1]).resolve()).name)
