"""From a function in this interpreter to a model bundle: pickle, modules, lock, manifest."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipper_runtime.bundle import (
    ENVIRONMENT_REPORT,
    FUNCTION,
    INPUT_TYPE_ALIASES,
    LOCK,
    MANIFEST,
    MODEL,
    MODULES,
    canonical_json,
    file_digest,
    write_manifest,
)
from clipper_runtime.cache import make_directory
from clipper_runtime.captured import find_unpicklable, list_captured, type_name
from clipper_runtime.failure import Failure, describe_exception
from clipper_runtime.imports import imports_of_code, modules_of_pickle
from clipper_runtime.inputs import sample_item
from clipper_runtime.installed import Installed
from clipper_runtime.local_modules import ModuleWalk, copy_local_modules
from clipper_runtime.module_origin import ModuleOrigins
from clipper_runtime.pickling import (
    MAX_CAPTURE_BYTES,
    WARN_CAPTURE_BYTES,
    pickle_to_file,
    without_directories,
)

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

#: Stands for "no sample", because None is a JSON value.
NO_SAMPLE: Any = object()


@dataclass(frozen=True)
class SavedModel:
    """A model that a framework writes itself, beside the function.

    `write` is given a directory that is not there yet; `modules` are those that loading the model imports;
    `manifest` is added to the bundle's.
    """

    runtime: str
    manifest: Mapping[str, Any]
    modules: Sequence[str]
    write: Callable[[Path], None]


@dataclass(frozen=True)
class CaptureRequest:
    """What to capture.

    `reference` is `(module, name)` when a replica imports the function; else it is pickled. `by_value` is a
    module whose functions and classes travel in the pickle although they could be imported.
    """

    function: Any
    name: str
    version: str
    input_type: str
    sample: Any = NO_SAMPLE
    reference: tuple[str, str] | None = None
    by_value: types.ModuleType | None = None
    model: SavedModel | None = None


@dataclass(frozen=True)
class CaptureResult:
    digest: str
    manifest: Mapping[str, Any]
    warnings: list[str]
    captured: list[Mapping[str, Any]]
    lock: list[str]

    def to_json(self) -> dict[str, Any]:
        return {
            "digest": self.digest,
            "manifest": self.manifest,
            "warnings": self.warnings,
            "captured": self.captured,
            "lock": self.lock,
        }


def check_request(name: str, version: str, input_type: str, sample: Any) -> str:
    """The canonical input type; checked before anything of the user's runs.

    Raises Failure CAPTURE_FAILED or INVALID_SAMPLE.
    """
    for what, text in (("model", name), ("version", version)):
        if not isinstance(text, str) or not _NAME.fullmatch(text):
            raise Failure("CAPTURE_FAILED", f"{text!r} is no {what} name: {_NAME.pattern} is due")
    canonical = INPUT_TYPE_ALIASES.get(input_type)
    if canonical is None:
        known = ", ".join(sorted(set(INPUT_TYPE_ALIASES.values())))
        raise Failure("CAPTURE_FAILED", f"{input_type!r} is no input type; {known} are")
    if sample is not NO_SAMPLE:
        sample_item(canonical, sample)
    return canonical


def capture_bundle(request: CaptureRequest, directory: Path, cloudpickle_version: str) -> CaptureResult:
    """Writes the bundle to `directory`, wholly or not at all. What was there is replaced if it is a bundle.

    Raises Failure: NOT_PICKLABLE, MODULE_MISSING, LOCAL_EXTENSION, CAPTURE_TOO_LARGE,
    CONDA_PACKAGE_UNAVAILABLE, INVALID_SAMPLE, CAPTURE_FAILED.
    """
    input_type = check_request(request.name, request.version, request.input_type, request.sample)
    directory = directory.absolute()
    if directory.exists() and not (directory / MANIFEST).is_file() and any(directory.iterdir()):
        raise Failure("CAPTURE_FAILED", f"{directory} is there already, and is no bundle")
    results: list[CaptureResult] = []

    def fill(target: Path) -> None:
        results.append(_Capture(request, input_type, cloudpickle_version, target).run())

    make_directory(directory, fill)
    return results[0]


class _Capture:
    """One capture into one directory."""

    def __init__(
        self, request: CaptureRequest, input_type: str, cloudpickle_version: str, target: Path
    ) -> None:
        self._request = request
        self._input_type = input_type
        self._cloudpickle_version = cloudpickle_version
        self._target = target
        self._installed = Installed()
        self._origins = ModuleOrigins(self._installed)
        self._walk = ModuleWalk(self._origins)
        self._warnings: list[str] = []
        self._captured: list[Mapping[str, Any]] = []

    def run(self) -> CaptureResult:
        request = self._request
        if request.reference is not None:
            module, name = request.reference
            entry = {"kind": "reference", "module": module, "function": name}
            self._walk.add(module, "entry", module)
        else:
            entry = {"kind": "pickle", "file": FUNCTION}
            self._pickle()
        model = request.model
        for module in model.modules if model else ():
            self._walk.add(module, "model", MODEL)
        if self._walk.missing:
            self._refuse_missing()
        copied = copy_local_modules(self._walk.local, self._target / MODULES)
        if copied > MAX_CAPTURE_BYTES:
            raise Failure(
                "CAPTURE_TOO_LARGE",
                f"the local modules {', '.join(sorted(self._walk.local))} are {copied // 2**20} MiB",
                facts={"bytes": copied, "limitBytes": MAX_CAPTURE_BYTES, "modules": sorted(self._walk.local)},
            )
        self._warn_of_rerun()
        lock = self._write_environment()
        if model is not None:
            model.write(self._target / MODEL)
        manifest: dict[str, Any] = {
            "model": request.name,
            "version": request.version,
            "inputType": self._input_type,
            "entry": entry,
            "runtime": model.runtime if model else "python",
            **(model.manifest if model else {}),
            "pythonMinor": "%d.%d" % sys.version_info[:2],
            "cloudpickleVersion": self._cloudpickle_version,
            "environmentDigest": file_digest(self._target / LOCK),
        }
        if request.sample is not NO_SAMPLE:
            manifest["sample"] = request.sample
        whole, digest = write_manifest(self._target, manifest)
        return CaptureResult(digest, whole, self._warnings, self._captured, lock)

    def _pickle(self) -> None:
        import cloudpickle

        request = self._request
        path = self._target / FUNCTION
        if request.by_value is not None:
            cloudpickle.register_pickle_by_value(request.by_value)
        try:
            try:
                with without_directories(request.by_value or sys.modules["__main__"]):
                    code = pickle_to_file(request.function, path)
            except Failure:
                raise
            except Exception as error:
                raise self._not_picklable(error) from error
            self._captured = list_captured(request.function, _by_reference)
        finally:
            if request.by_value is not None:
                cloudpickle.unregister_pickle_by_value(request.by_value)
        size = path.stat().st_size
        if size > WARN_CAPTURE_BYTES:
            self._warnings.append(
                f"the function captures {size / 2**20:.0f} MiB; the largest is"
                f" {self._captured[0]['name'] if self._captured else 'the function itself'}"
            )
        with open(path, "rb") as file:
            for module in modules_of_pickle(file):
                self._walk.add(module, "pickle", FUNCTION)
        for one, package, qualname in code.found:
            for module, _ in imports_of_code(one, package):
                # not missing when it cannot be found: the function may never come there
                if self._origins.is_there(module):
                    self._walk.add(module, "function", qualname)
                elif "." not in module:
                    self._warnings.append(
                        f"{qualname} imports {module}, which is not installed in {sys.executable}"
                    )

    def _not_picklable(self, error: Exception) -> Failure:
        function = self._request.function
        try:
            found = find_unpicklable(function, _by_reference)
        except Exception:  # looking must not hide what was found already
            found = None
        path, kind, reason = found or (
            type_name(function),
            type_name(function),
            describe_exception(error, 500),
        )
        return Failure(
            "NOT_PICKLABLE",
            f"{path} is a {kind}, which cannot be pickled: {reason}",
            hint="use the session and the model that the function is called with"
            if kind.startswith(("pyspark.", "py4j."))
            else "make it inside the function when it is first called, or hand over what it is made from",
            facts={"path": path, "type": kind, "reason": reason},
        )

    def _refuse_missing(self) -> None:
        module, source = sorted(self._walk.missing.items())[0]
        raise Failure(
            "MODULE_MISSING",
            f"{source} imports {module}, which is not installed in {sys.executable}",
            hint="install it there, or name another interpreter",
            facts={"module": module, "source": source, "modules": sorted(self._walk.missing)},
        )

    def _warn_of_rerun(self) -> None:
        by_value = self._request.by_value
        name = getattr(by_value, "__name__", None)
        if name in self._walk.local:
            self._warnings.append(
                f"a local module imports {name}, the file that is captured:"
                " each replica runs that file once more"
            )

    def _write_environment(self) -> list[str]:
        rules = self._walk.rules
        reasons = self._installed.closure({name: frozenset() for name in rules})
        reasons.setdefault("cloudpickle", "")
        pins: dict[str, str] = {}
        report: dict[str, Any] = {}
        for name, reason in sorted(reasons.items()):
            distribution = self._installed.by_name.get(name)
            pins[name] = self._cloudpickle_version if name == "cloudpickle" else distribution.version  # type: ignore[union-attr]
            found = rules.get(name)
            report[name] = found or ({"rule": "requirement", "of": reason} if reason else {"rule": "runtime"})
            if distribution is not None and distribution.origin and name != "cloudpickle" and not _in_conda():
                self._warnings.append(
                    f"{name} {distribution.version} was installed from {distribution.origin};"
                    " the environment takes that version from the index"
                )
        lock = [f"{name}=={version}" for name, version in sorted(pins.items())]
        (self._target / LOCK).parent.mkdir(parents=True, exist_ok=True)
        (self._target / LOCK).write_text("".join(line + "\n" for line in lock), "utf-8")
        local = sorted(self._walk.local)
        (self._target / ENVIRONMENT_REPORT).write_bytes(
            canonical_json({"distributions": report, "local": local})
        )
        return lock


def _by_reference(value: Any) -> bool:
    import cloudpickle

    return bool(cloudpickle.cloudpickle._should_pickle_by_reference(value))


def _in_conda() -> bool:
    # conda writes the place where it built each package there
    return (Path(sys.prefix) / "conda-meta").is_dir()
