"""Model bundles: reading, verifying and writing `manifest.json` and the files it names."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from clipper_runtime.failure import Failure

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
FUNCTION = "function.pkl"
MODULES = "modules"
LOCK = "environment/lock.txt"
ENVIRONMENT_REPORT = "environment/report.json"
#: A directory that a framework wrote itself; there only where the manifest's `runtime` reads one.
MODEL = "model"

#: Clipper's spellings of its five input types.
INPUT_TYPE_ALIASES: Mapping[str, str] = {
    alias: input_type
    for input_type, aliases in {
        "integers": "integers ints integer int i",
        "floats": "floats float f",
        "doubles": "doubles double d",
        "strings": "strings string strs str s",
        "bytes": "bytes byte b",
    }.items()
    for alias in aliases.split()
}
INPUT_TYPES = ("integers", "floats", "doubles", "strings", "bytes")

_MANIFEST_LIMIT_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Bundle:
    """A verified bundle: its directory, its manifest and its digest (`sha256:…`)."""

    def __init__(self, directory: Path, manifest: Mapping[str, Any], digest: str) -> None:
        self.directory = directory
        self.manifest = manifest
        self.digest = digest

    @property
    def model(self) -> str:
        return self.manifest["model"]

    @property
    def version(self) -> str:
        return self.manifest["version"]

    @property
    def input_type(self) -> str:
        return self.manifest["inputType"]

    @property
    def has_sample(self) -> bool:
        return "sample" in self.manifest

    @property
    def sample(self) -> Any:
        return self.manifest["sample"]

    def locked(self) -> dict[str, str]:
        """Normalised distribution name to exact version, from `environment/lock.txt`."""
        return read_lock(self.directory / LOCK)


def read_bundle(directory: str | os.PathLike[str], *, verify_files: bool = True) -> Bundle:
    """Reads the bundle in `directory` and checks each file against its digest.

    Raises Failure BUNDLE_INVALID, which names the first file that is missing, changed or not in the
    manifest's reach.
    """
    root = Path(directory)
    path = root / MANIFEST
    try:
        if path.stat().st_size > _MANIFEST_LIMIT_BYTES:
            raise _invalid(f"{path} is larger than {_MANIFEST_LIMIT_BYTES} bytes")
        raw = path.read_bytes()
        manifest = json.loads(raw)
    except OSError as error:
        raise _invalid(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _invalid(f"{path} is not JSON: {error}") from error
    _check_manifest(path, manifest)
    if verify_files:
        for name, digest in manifest["files"].items():
            _verify_file(root, name, digest)
    return Bundle(root, manifest, digest_of(raw))


def canonical_json(value: Any) -> bytes:
    """Sorted keys, no spaces, UTF-8: equal values are equal bytes.

    Raises ValueError for NaN and infinities.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest_of(manifest: bytes) -> str:
    return "sha256:" + hashlib.sha256(manifest).hexdigest()


def file_digest(path: Path) -> str:
    """sha256 of a file in hex, read in pieces."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def write_manifest(directory: Path, manifest: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Adds `files` for all that is in `directory` and writes `manifest.json`.

    Returns the whole manifest and its digest.
    """
    files = {
        path.relative_to(directory).as_posix(): file_digest(path)
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path != directory / MANIFEST
    }
    whole = {**manifest, "formatVersion": FORMAT_VERSION, "files": dict(sorted(files.items()))}
    raw = canonical_json(whole)
    (directory / MANIFEST).write_bytes(raw)
    return whole, digest_of(raw)


def read_lock(path: Path) -> dict[str, str]:
    """`name==version` lines as a map; blank lines and `#` comments are skipped.

    Raises Failure BUNDLE_INVALID.
    """
    pins: dict[str, str] = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _invalid(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        pin = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.!+_-]*)", line)
        if pin is None:
            raise _invalid(f"line {number} of {path} is not name==version: {line[:200]!r}")
        pins[normalise_name(pin[1])] = pin[2]
    return pins


def normalise_name(name: str) -> str:
    """A distribution's name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _check_manifest(path: Path, manifest: Any) -> None:
    if not isinstance(manifest, dict) or manifest.get("formatVersion") != FORMAT_VERSION:
        version = manifest.get("formatVersion") if isinstance(manifest, dict) else None
        raise _invalid(f"{path} has format version {version!r}; this runtime reads {FORMAT_VERSION}")
    for key in ("model", "version", "runtime", "pythonMinor", "cloudpickleVersion", "environmentDigest"):
        if not isinstance(manifest.get(key), str):
            raise _invalid(f"{path} has no {key}")
    if manifest.get("inputType") not in INPUT_TYPES:
        raise _invalid(
            f"{path} has input type {manifest.get('inputType')!r}; {', '.join(INPUT_TYPES)} are known"
        )
    entry = manifest.get("entry")
    kind = entry.get("kind") if isinstance(entry, dict) else None
    fields = {"pickle": ("file",), "reference": ("module", "function")}.get(kind)
    if fields is None or not all(isinstance(entry.get(name), str) for name in fields):
        raise _invalid(f"{path} has no usable entry: {entry!r}")
    if manifest["runtime"] == "pyspark":
        _check_pyspark(path, manifest.get("pyspark"))
    files = manifest.get("files")
    if not isinstance(files, dict):
        raise _invalid(f"{path} names no files")
    for name, digest in files.items():
        parts = PurePosixPath(name).parts
        if (
            not parts
            or name.startswith("/")
            or ".." in parts
            or "\\" in name
            or "\0" in name
            or name == MANIFEST
        ):
            raise _invalid(f"{path} names a file outside the bundle: {name!r}")
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise _invalid(f"{path} gives no sha256 for {name!r}")
    if LOCK not in files or (kind == "pickle" and entry["file"] not in files):
        raise _invalid(f"{path} does not name {LOCK} and the pickle among its files")


def _check_pyspark(path: Path, locked: Any) -> None:
    kinds = {"version": str, "javaMajor": int, "modelClass": str}
    if not isinstance(locked, dict) or any(type(locked.get(key)) is not kind for key, kind in kinds.items()):
        raise _invalid(f"{path} does not lock {', '.join(kinds)} of a PySpark model: {locked!r}")
    # loading runs the class's own code: nobody else's is run because a manifest says so
    if re.fullmatch(r"pyspark(\.[A-Za-z_]\w*)+", locked["modelClass"]) is None:
        raise _invalid(f"{path} has model class {locked['modelClass']!r}, which is not one of PySpark's")


def _verify_file(root: Path, name: str, digest: str) -> None:
    path = root / name
    try:
        actual = file_digest(path)
    except OSError as error:
        raise _invalid(f"{name} of the bundle {root} cannot be read: {error.strerror}") from error
    if actual != digest:
        raise _invalid(f"{name} of the bundle {root} has sha256 {actual}; its manifest says {digest}")


def _invalid(message: str) -> Failure:
    return Failure("BUNDLE_INVALID", message)
