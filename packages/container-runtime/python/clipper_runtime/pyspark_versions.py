"""Python, PySpark and Java as one triple: what is here, and whether it is what a bundle is locked to."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clipper_runtime.failure import Failure
from clipper_runtime.markers import version_key

_JAVA_SECONDS = 60
#: 17 is in every PySpark's list.
_INSTALL_HINT = (
    "install Java 17 (Debian: apt-get install openjdk-17-jre-headless, macOS: brew install openjdk@17),"
    " and set JAVA_HOME where it is not the java on PATH"
)


@dataclass(frozen=True)
class Java:
    """`home` is what JAVA_HOME has to be for Spark to start this one."""

    home: str
    version: str
    major: int

    def to_json(self) -> dict[str, Any]:
        return {"home": self.home, "version": self.version, "major": self.major}


@dataclass(frozen=True)
class Triple:
    """What has to be equal where a model is captured and where it is served."""

    python: str
    pyspark: str
    java: int

    def __str__(self) -> str:
        return f"Python {self.python}, PySpark {self.pyspark} and Java {self.java}"

    def to_json(self) -> dict[str, Any]:
        return {"python": self.python, "pyspark": self.pyspark, "java": self.java}

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> Triple:
        locked = manifest["pyspark"]
        return cls(manifest["pythonMinor"], locked["version"], locked["javaMajor"])


@dataclass(frozen=True)
class Platform:
    """The PySpark of this interpreter, and the Java that it would start."""

    pyspark: str
    java: Java

    def to_json(self) -> dict[str, Any]:
        return {"pyspark": self.pyspark, "java": self.java.to_json()}


def python_minor() -> str:
    return "%d.%d" % sys.version_info[:2]


def installed_pyspark() -> str:
    """Raises Failure MODULE_MISSING."""
    try:
        return importlib.metadata.version("pyspark")
    except importlib.metadata.PackageNotFoundError:
        raise Failure(
            "MODULE_MISSING",
            f"pyspark is not installed in {sys.executable}",
            hint=f"install it there: {sys.executable} -m pip install pyspark; or name another interpreter",
            facts={"module": "pyspark", "python": sys.executable},
        ) from None


def supported_java(pyspark: str) -> tuple[int, ...]:
    """The Java versions that Spark's documentation names for that PySpark, oldest first."""
    key = version_key(pyspark)
    if key < (4,):
        return (8, 11, 17)
    return (17, 21) if key < (4, 2) else (17, 21, 25)


def find_java(pyspark: str, environ: Mapping[str, str] = os.environ) -> Java:
    """The Java that Spark would start: that of JAVA_HOME, else `java` on PATH.

    Raises Failure JAVA_MISSING, which tells what to install.
    """
    home = environ.get("JAVA_HOME")
    if home:
        command = os.path.join(home, "bin", "java")
        if not os.access(command, os.X_OK):
            raise _java_missing(f"JAVA_HOME is {home}, and there is no {command}", pyspark)
    else:
        found = shutil.which("java", path=environ.get("PATH"))
        if found is None:
            raise _java_missing("there is no java on PATH, and JAVA_HOME is not set", pyspark)
        command = found
    try:
        done = subprocess.run(
            [command, "-XshowSettings:properties", "-version"],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_JAVA_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _java_missing(f"{command} does not run: {error}", pyspark) from error
    said = (done.stderr + done.stdout).decode("utf-8", "replace")
    properties = dict(re.findall(r"^\s+(java\.[a-z.]+) = (.+?)\s*$", said, re.MULTILINE))
    version = properties.get("java.version", "")
    major = re.match(r"(?:1\.)?(\d+)", version)
    if done.returncode != 0 or major is None:
        raise _java_missing(f"{command} does not say its version: {said.strip()[-500:]}", pyspark)
    return Java(home or properties.get("java.home", ""), version, int(major[1]))


def check_supported(pyspark: str, java: Java) -> None:
    """Raises Failure JAVA_MISMATCH when that PySpark does not run on that Java at all."""
    supported = supported_java(pyspark)
    if java.major in supported:
        return
    raise Failure(
        "JAVA_MISMATCH",
        f"PySpark {pyspark} runs on Java {_listed(supported)}, and {java.home} is Java {java.version}"
        f" (with Python {python_minor()})",
        hint=f"{_INSTALL_HINT}; or install a PySpark that runs on Java {java.major}",
        facts={"here": Triple(python_minor(), pyspark, java.major).to_json(), "supportedJava": supported},
    )


def check_platform() -> Platform:
    """Raises Failure MODULE_MISSING, JAVA_MISSING, JAVA_MISMATCH."""
    pyspark = installed_pyspark()
    java = find_java(pyspark)
    check_supported(pyspark, java)
    return Platform(pyspark, java)


def check_triple(locked: Triple, here: Triple) -> None:
    """Raises Failure PYTHON_MISMATCH, PYSPARK_MISMATCH or JAVA_MISMATCH; each names all versions."""
    for code, part, hint in (
        ("PYTHON_MISMATCH", "python", f"name an interpreter of Python {locked.python}"),
        ("PYSPARK_MISMATCH", "pyspark", f"install pyspark=={locked.pyspark}"),
        ("JAVA_MISMATCH", "java", f"set JAVA_HOME to a Java {locked.java}: {_INSTALL_HINT}"),
    ):
        if getattr(locked, part) != getattr(here, part):
            raise Failure(
                code,
                f"the model is locked to {locked}, and here are {here}",
                hint=f"{hint}; or save and deploy the model again where it is to run",
                facts={"bundle": locked.to_json(), "here": here.to_json()},
            )


def _java_missing(why: str, pyspark: str) -> Failure:
    return Failure(
        "JAVA_MISSING",
        f"PySpark {pyspark} needs Java {_listed(supported_java(pyspark))}: {why}",
        hint=_INSTALL_HINT,
        facts={"pyspark": pyspark, "python": python_minor(), "supportedJava": supported_java(pyspark)},
    )


def _listed(majors: tuple[int, ...]) -> str:
    return ", ".join(map(str, majors[:-1])) + f" or {majors[-1]}"
