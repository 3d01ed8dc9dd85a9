"""Wheels kept by Python minor and platform, fetched or built by pip once."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from clipper_runtime.bundle import normalise_name
from clipper_runtime.cache import cache_directory, held_lock, make_directory
from clipper_runtime.failure import Failure
from clipper_runtime.target_platform import TargetPlatform
from clipper_runtime.tool import ToolResult, run_tool

_TAG = "import sys, sysconfig; print(sys.implementation.cache_tag + '-' + sysconfig.get_platform())"

_BASE = "import sys; print(sys._base_executable)"


class Wheelhouse:
    """The wheels one interpreter can use, or one of its minor on another platform. Safe for several processes at once."""

    def __init__(self, python: str, platform: TargetPlatform | None = None) -> None:
        self._python = python
        self._platform = platform

    def wheels(self, pins: Mapping[str, str], note: Callable[[str], None] = lambda text: None) -> list[Path]:
        """One wheel per pin, fetched when it is not kept yet; built from source when there is none.

        Raises Failure ENVIRONMENT_FAILED with what pip said; WHEEL_MISSING for another platform, whose native code
        cannot be built here.
        """
        with held_lock(self._directory / ".lock"):
            missing = {name: version for name, version in pins.items() if self._kept(name, version) is None}
            if missing:
                self._fetch(missing, note)
        found = {name: self._kept(name, version) for name, version in pins.items()}
        absent = [f"{name}=={pins[name]}" for name, wheel in found.items() if wheel is None]
        if absent:
            raise _failed(f"pip brought no wheel for {', '.join(absent)}", absent)
        return [wheel for wheel in found.values() if wheel is not None]

    @cached_property
    def _tag(self) -> str:
        try:
            done = subprocess.run(
                [self._python, "-c", _TAG], capture_output=True, text=True, check=True, timeout=60
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise _failed(f"the interpreter {self._python} does not run: {error}", []) from error
        return re.sub(r"[^A-Za-z0-9._-]", "_", done.stdout.strip())

    @cached_property
    def _directory(self) -> Path:
        place = self._tag if self._platform is None else f"{self._tag}-for-{self._platform.name.replace('/', '-')}"
        return cache_directory() / "wheels" / place

    def _kept(self, name: str, version: str) -> Path | None:
        if not self._directory.is_dir():
            return None
        for wheel in self._directory.glob("*.whl"):
            distribution, _, rest = wheel.name.partition("-")
            if normalise_name(distribution) == name and _same_version(rest.partition("-")[0], version):
                return wheel
        return None

    def _fetch(self, pins: Mapping[str, str], note: Callable[[str], None]) -> None:
        wanted = [f"{name}=={version}" for name, version in sorted(pins.items())]
        note(f"fetching {', '.join(wanted)}")
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=self._directory) as temporary:
            if self._platform is not None:
                self._download(self._platform, pins, temporary, note)
                self._keep(temporary)
                return
            common = ["wheel", "--no-deps", "--disable-pip-version-check", "--no-input", "-w", temporary]
            result = self._pip([*common, "--only-binary", ":all:", *wanted])
            if not result.ok:
                note("not all have a wheel that fits; those are built from source here")
                result = self._pip([*common, *wanted])
            if not result.ok:
                raise _failed(f"pip could not fetch {name_pins(wanted, result.said)}: {result.said}", wanted)
            self._keep(temporary)

    def _keep(self, temporary: str) -> None:
        for wheel in Path(temporary).glob("*.whl"):
            os.replace(wheel, self._directory / wheel.name)

    def _download(
        self, platform: TargetPlatform, pins: Mapping[str, str], into: str, note: Callable[[str], None]
    ) -> None:
        """Wheels for another platform; those without any are built here where what is built runs anywhere."""
        common = ["download", "--no-deps", "--disable-pip-version-check", "--no-input", "-d", into]
        common += ["--only-binary", ":all:", *platform.pip_arguments]
        wanted = [f"{name}=={version}" for name, version in sorted(pins.items())]
        if self._pip([*common, *wanted]).ok:
            return
        missing: list[str] = []
        said = ""
        for name, version in sorted(pins.items()):
            result = self._pip([*common, f"{name}=={version}"])
            if result.ok:
                continue
            try:
                [wheel] = Wheelhouse(self._python).wheels({name: version}, note)
            except Failure as failure:
                missing.append(f"{name}=={version}")
                said = said or failure.message
                continue
            if wheel.name.endswith("-none-any.whl"):
                shutil.copy(wheel, into)
            else:
                missing.append(f"{name}=={version}")
                said = said or result.said
        if missing:
            raise Failure(
                "WHEEL_MISSING",
                f"there is no wheel for {platform.name} of {', '.join(missing)}: {said}",
                hint=f"deploy from a machine that is {platform.name}, or put such a wheel where your pip finds it",
                facts={"pins": missing, "platform": platform.name},
            )

    def _pip(self, arguments: list[str]) -> ToolResult:
        return run_tool([self._pip_python, "-m", "pip", *arguments], _pip_environment())

    @cached_property
    def _pip_python(self) -> str:
        """The interpreter itself when it has pip, or the one it was made from, else one made here."""
        base = run_tool([self._python, "-c", _BASE], _pip_environment(), 60).output.strip()
        for candidate in dict.fromkeys((self._python, base or self._python)):
            if run_tool([candidate, "-m", "pip", "--version"], _pip_environment(), 60).ok:
                return candidate
        target = cache_directory() / "pip" / self._tag
        with held_lock(target.with_name(target.name + ".lock")):
            if not target.exists():
                make_directory(target, self._make_pip)
        return str(target / "bin" / "python")

    def _make_pip(self, directory: Path) -> None:
        result = run_tool([self._python, "-m", "venv", str(directory)], _pip_environment(), 300)
        if not result.ok:
            raise _failed(f"{self._python} has no pip, and none could be made: {result.said}", [])


def name_pins(pins: list[str], said: str) -> str:
    """Those of `pins` that the tool's words name, all when it names none."""
    named = [pin for pin in pins if re.search(rf"(?<![\w.-]){re.escape(pin)}(?![\w.-])", said)]
    return ", ".join(named or pins)


def _same_version(in_file: str, pinned: str) -> bool:
    return in_file.replace("_", "+").lower() == pinned.replace("-", "+").replace("_", "+").lower()


def _pip_environment() -> dict[str, str]:
    """The user's environment without the path to this package: pip must not see it."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def _failed(message: str, pins: list[str]) -> Failure:
    return Failure("ENVIRONMENT_FAILED", message, facts={"pins": pins})
