"""Makes a relocatable virtual environment from a lock. `python -m clipper_runtime.environment --help`."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipper_runtime.bundle import read_lock
from clipper_runtime.cache import held_lock, make_directory
from clipper_runtime.environment_marker import read_marker, write_marker
from clipper_runtime.failure import Failure
from clipper_runtime.report import run_command
from clipper_runtime.target_platform import TargetPlatform
from clipper_runtime.tool import run_tool
from clipper_runtime.uv import Uv
from clipper_runtime.wheel_file import unpack_wheel
from clipper_runtime.wheelhouse import Wheelhouse, name_pins

_PROGRESS_PREFIX = "clipper-progress: "


@dataclass(frozen=True)
class Environment:
    """A made environment: its directory, its interpreter, what made it, and whether it was there already."""

    directory: Path
    python: Path
    maker: str
    reused: bool
    packages: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "directory": str(self.directory),
            "python": str(self.python),
            "maker": self.maker,
            "reused": self.reused,
            "packages": self.packages,
            "notes": list(self.notes),
        }


def make_environment(
    lock: Path,
    python: str,
    directory: Path,
    progress: Callable[[str], None],
    platform: TargetPlatform | None = None,
) -> Environment:
    """Makes the environment in `directory`, or finds it complete there. Two makers at once make it once.

    uv is used when there is one, else pip. With a `platform` its packages are for that one, and only its interpreter
    is this machine's. Raises Failure ENVIRONMENT_FAILED, which says what each said, and WHEEL_MISSING.
    """
    pins = read_lock(lock)
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    directory = directory.absolute()
    with held_lock(directory.with_name(directory.name + ".lock")):
        kept = read_marker(directory)
        if kept is not None and kept.get("lockDigest") == digest:
            return _environment(directory, kept, reused=True)
        maker = _Maker(pins, python, progress, platform)
        make_directory(directory, lambda temporary: maker.make(temporary, digest))
        return _environment(directory, read_marker(directory) or {}, reused=False)


class _Maker:
    """One attempt at an environment, by uv and then by pip."""

    def __init__(
        self,
        pins: Mapping[str, str],
        python: str,
        progress: Callable[[str], None],
        platform: TargetPlatform | None,
    ) -> None:
        self._platform = platform
        self._pins = pins
        self._python = python
        self._progress = progress
        self._notes: list[str] = []

    def make(self, directory: Path, lock_digest: str) -> None:
        said: dict[str, str] = {}
        for name, make in (("uv", self._by_uv), ("pip", self._by_pip)):
            _empty(directory)
            problem = make(directory)
            if problem is None:
                break
            said[name] = problem
            self._progress(f"{name} did not make the environment")
        else:
            wanted = [f"{name}=={version}" for name, version in sorted(self._pins.items())]
            raise Failure(
                "ENVIRONMENT_FAILED",
                "neither uv nor pip could make the environment. "
                + " ".join(f"{name} said: {text}" for name, text in said.items()),
                hint="check that your index is reachable, and has the pinned versions for this Python",
                facts={"pins": name_pins(wanted, " ".join(said.values())).split(", "), "said": said},
            )
        marker = {
            "lockDigest": lock_digest,
            "maker": name,
            "packages": len(self._pins),
            "notes": self._notes,
        }
        write_marker(directory, marker)

    def _by_uv(self, directory: Path) -> str | None:
        """Returns what went wrong, None when nothing did."""
        uv = Uv.find(self._python)
        if uv is None:
            return "it was not found (looked at $CLIPPER_UV, PATH and python -m uv)"
        self._progress("making a virtual environment by uv")
        venv = ("venv", "--relocatable", "--no-project", "--allow-existing", "--python", self._python)
        made = uv.run(*venv, str(directory))
        if not made.ok:
            return made.said
        requirements = directory / "requirements.txt"
        pins = "".join(f"{name}=={version}\n" for name, version in self._pins.items())
        requirements.write_text(pins, "utf-8")
        install = ("pip", "install", "--python", str(directory / "bin" / "python"), "--no-deps")
        self._progress(f"installing {len(self._pins)} packages by uv")
        target = () if self._platform is None else self._platform.uv_arguments
        installed = uv.run(*install, *target, "--only-binary", ":all:", "-r", str(requirements))
        if not installed.ok and self._platform is None:
            self._note("not all packages have a wheel that fits; those are built from source here")
            installed = uv.run(*install, "-r", str(requirements))
        requirements.unlink()
        _drop_activation(directory)
        return None if installed.ok else installed.said

    def _by_pip(self, directory: Path) -> str | None:
        """As `_by_uv`. pip only fetches wheels; they are unpacked here, which takes a tenth of its time."""
        self._progress("making a virtual environment by venv")
        environ = {
            name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")
        }
        made = run_tool([self._python, "-m", "venv", "--without-pip", str(directory)], environ)
        if not made.ok:
            return made.said
        try:
            wheels = Wheelhouse(self._python, self._platform).wheels(self._pins, self._note)
            site_packages = next((directory / "lib").glob("python*/site-packages"))
            self._progress(f"unpacking {len(wheels)} packages")
            for wheel in wheels:
                unpack_wheel(wheel, site_packages, directory)
        except Failure as failure:
            if failure.code == "WHEEL_MISSING":
                raise
            return failure.message
        _drop_activation(directory)
        return None

    def _note(self, text: str) -> None:
        self._progress(text)
        if not text.startswith("fetching"):
            self._notes.append(text)


def _environment(directory: Path, marker: Mapping[str, Any], reused: bool) -> Environment:
    return Environment(
        directory,
        directory / "bin" / "python",
        marker.get("maker", ""),
        reused,
        marker.get("packages", 0),
        tuple(marker.get("notes", ())),
    )


def _empty(directory: Path) -> None:
    for entry in directory.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _drop_activation(directory: Path) -> None:
    """Activation scripts hold the path they were made at; nothing here runs them."""
    for script in (directory / "bin").glob("[aA]ctivate*"):
        script.unlink()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="clipper_runtime.environment", description=__doc__)
    parser.add_argument("--lock", required=True, type=Path, help="environment/lock.txt of a bundle")
    parser.add_argument("--python", default=sys.executable, help="interpreter the environment is for")
    parser.add_argument("--platform", help="linux/amd64 or linux/arm64, where it is not this machine's")
    parser.add_argument("--output", required=True, type=Path, help="directory of the environment")
    parser.add_argument("--report", type=Path, help="file for the result; default: standard output")
    options = parser.parse_args(arguments)
    started = time.monotonic()

    def progress(text: str) -> None:
        line = {"elapsedMs": round((time.monotonic() - started) * 1000), "text": text}
        print(_PROGRESS_PREFIX + json.dumps(line), file=sys.stderr, flush=True)

    def make() -> dict[str, Any]:
        platform = None if options.platform is None else TargetPlatform(options.platform)
        return make_environment(options.lock, options.python, options.output, progress, platform).to_json()

    return run_command(options.report, make)


if __name__ == "__main__":
    sys.exit(main())
