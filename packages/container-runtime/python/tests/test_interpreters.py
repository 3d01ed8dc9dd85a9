from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from clipper_runtime.cloudpickle_choice import PINNED_VERSION
from tests.support.bundles import TemporaryDirectoryTest, run_module
from tests.support.wheels import make_wheel

_NO_UV = {"CLIPPER_UV": "/nowhere/uv"}
_ECHO = "def predict(inputs):\n    return inputs\n"


class InterpreterTest(TemporaryDirectoryTest):
    """Captures in an interpreter of the test's own, which has what the test puts there."""

    def setUp(self) -> None:
        super().setUp()
        prefix = self.directory / "prefix"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
        self.python = str(prefix / "bin" / "python")
        self.prefix = prefix
        self.site = next(prefix.glob("lib/python*/site-packages"))

    def install_cloudpickle(self) -> None:
        for source in cloudpickle_files():
            shutil.copytree(source, self.site / source.name)

    def install(self, name: str, version: str, files: dict[str, str], **info: str) -> None:
        """A distribution as an installer leaves it."""
        directory = self.site / f"{name}-{version}.dist-info"
        for file, text in files.items():
            (self.site / file).parent.mkdir(parents=True, exist_ok=True)
            (self.site / file).write_text(text)
        directory.mkdir()
        record = "".join(f"{file},,\n" for file in files)
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + info.pop("requires", "")
        whole = {"METADATA": metadata, "RECORD": record, "direct_url.json": info.pop("direct_url", "{}")}
        for file, text in whole.items():
            (directory / file).write_text(text)

    def capture(self, source: str, environ: dict[str, str] | None = None) -> dict[str, Any]:
        file = self.write("train.py", source)
        arguments = [
            "--function",
            f"{file}:predict",
            "--name",
            "m",
            "--version",
            "1",
            "--input-type",
            "strings",
        ]
        done = run_module(
            "capture",
            *arguments,
            "--output",
            str(self.directory / "bundle"),
            python=self.python,
            environ=environ,
        )
        self.assertTrue(done.stdout, done.stderr)
        return json.loads(done.stdout)


def cloudpickle_files() -> list[Path]:
    spec = importlib.util.find_spec("cloudpickle")
    assert spec is not None and spec.origin is not None
    package = Path(spec.origin).parent
    info = next(package.parent.glob("cloudpickle-*.dist-info"))
    return [package, info]


class Distributions(InterpreterTest):
    def test_requirements_are_followed_with_their_extras_and_markers(self) -> None:
        self.install_cloudpickle()
        self.install(
            "top", "1.0", {"top.py": ""}, requires="Requires-Dist: Middle_One[fast]>=1\nRequires-Dist: gone\n"
        )
        self.install(
            "middle-one",
            "2.0",
            {"middle.py": ""},
            requires="Requires-Dist: quick; extra == 'fast'\nRequires-Dist: slow; extra == 'slow'\n"
            "Requires-Dist: old; python_version < '3'\n",
        )
        for name in ("quick", "slow", "old", "gone-not"):
            self.install(name, "3.0", {f"{name.replace('-', '_')}.py": ""})
        report = self.capture("import top\ndef predict(inputs): return [top.__name__ for one in inputs]")
        pins = [line for line in report["lock"] if not line.startswith("cloudpickle")]
        self.assertEqual(pins, ["middle-one==2.0", "quick==3.0", "top==1.0"])

    def test_an_editable_install_travels_as_files(self) -> None:
        self.install_cloudpickle()
        self.write("checkout/mine/__init__.py", "mark = 'mine'")
        (self.site / "mine.pth").write_text(str(self.directory / "checkout"))
        self.install("mine", "1.0", {}, direct_url='{"url": "file:///x", "dir_info": {"editable": true}}')
        report = self.capture("import mine\ndef predict(inputs): return [mine.mark for one in inputs]")
        self.assertIn("modules/mine/__init__.py", report["manifest"]["files"])
        self.assertNotIn("mine==1.0", report["lock"])

    def test_a_distribution_from_no_index_is_warned_of_without_its_credentials(self) -> None:
        self.install_cloudpickle()
        self.install(
            "vcs",
            "1.0",
            {"vcs.py": ""},
            direct_url='{"url": "https://user:secret@host/x.git", "vcs_info": {}}',
        )
        report = self.capture("import vcs\ndef predict(inputs): return [vcs.__name__ for one in inputs]")
        self.assertIn("vcs 1.0 was installed from https://host/x.git", report["warnings"][0])

    def test_a_namespace_of_several_distributions_gives_the_one_that_is_used(self) -> None:
        self.install_cloudpickle()
        for name in ("one", "two"):
            self.install(f"space-{name}", "1.0", {f"space/{name}/__init__.py": ""})
        report = self.capture(
            "import space.two\ndef predict(inputs): return [space.two.__name__ for one in inputs]"
        )
        self.assertIn("space-two==1.0", report["lock"])
        self.assertNotIn("space-one==1.0", report["lock"])


class Conda(InterpreterTest):
    def test_a_conda_package_without_a_distribution_is_refused_by_name(self) -> None:
        self.install_cloudpickle()
        (self.site / "graphlib_c.py").write_text("")
        self.install("pinned", "1.0", {"pinned.py": ""}, direct_url='{"url": "file:///conda/feedstock"}')
        (self.prefix / "conda-meta").mkdir()
        file = (self.site / "graphlib_c.py").relative_to(self.prefix).as_posix()
        record = {"name": "graphlib-c", "version": "4.2", "files": [file]}
        (self.prefix / "conda-meta" / "graphlib-c-4.2-0.json").write_text(json.dumps(record))
        report = self.capture(
            "import graphlib_c\ndef predict(inputs): return [graphlib_c.__name__ for one in inputs]"
        )
        self.assertEqual(report["error"]["code"], "CONDA_PACKAGE_UNAVAILABLE")
        self.assertEqual(report["error"]["facts"], {"condaPackage": "graphlib-c 4.2", "module": "graphlib_c"})
        report = self.capture(
            "import pinned\ndef predict(inputs): return [pinned.__name__ for one in inputs]"
        )
        self.assertIn("pinned==1.0", report["lock"])
        self.assertEqual(report["warnings"], [])


class Cloudpickle(InterpreterTest):
    def test_one_is_fetched_once_where_the_interpreter_has_none(self) -> None:
        if importlib.metadata.version("cloudpickle") != PINNED_VERSION:
            self.skipTest(
                f"cloudpickle {PINNED_VERSION} is not installed here, of which the test makes a wheel"
            )
        package, _ = cloudpickle_files()
        files = {f"cloudpickle/{path.name}": path.read_text() for path in package.glob("*.py")}
        wheels = self.directory / "wheels"
        make_wheel(wheels, "cloudpickle", PINNED_VERSION, files)
        environ = {
            "CLIPPER_CACHE": str(self.directory / "cache"),
            "PIP_FIND_LINKS": str(wheels),
            "PIP_NO_INDEX": "1",
            **_NO_UV,
        }
        report = self.capture(_ECHO, environ)
        self.assertTrue(report["ok"], report)
        self.assertEqual(report["lock"], [f"cloudpickle=={PINNED_VERSION}"])
        shutil.rmtree(wheels)
        self.assertTrue(self.capture(_ECHO, environ)["ok"])

    def test_none_to_be_had_is_said(self) -> None:
        environ = {
            "CLIPPER_CACHE": str(self.directory / "cache"),
            "PIP_FIND_LINKS": "",
            "PIP_NO_INDEX": "1",
            **_NO_UV,
        }
        error = self.capture(_ECHO, environ)["error"]
        self.assertEqual(error["code"], "CAPTURE_FAILED")
        self.assertIn(f"cloudpickle {PINNED_VERSION} could not be fetched", error["message"])
