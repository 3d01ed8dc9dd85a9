from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

from clipper_runtime.failure import Failure
from clipper_runtime.index_settings import uv_environment
from clipper_runtime.uv import Uv
from clipper_runtime.wheel_file import unpack_wheel
from tests.support.bundles import TemporaryDirectoryTest, run_module
from tests.support.wheels import make_source, make_wheel

_NO_UV = "/nowhere/uv"

_BACKEND = """
import zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "built_here-1.0-py3-none-any.whl"
    info = "built_here-1.0.dist-info/"
    with zipfile.ZipFile(directory + "/" + name, "w") as archive:
        archive.writestr("built_here.py", "mark = 'built'")
        archive.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: built-here\\nVersion: 1.0\\n")
        archive.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(info + "RECORD", "built_here.py,,\\n" + info + "RECORD,,\\n")
    return name
"""


class EnvironmentTest(TemporaryDirectoryTest):
    def setUp(self) -> None:
        super().setUp()
        self.wheels = self.directory / "wheelhouse"
        self.environ = {
            "CLIPPER_CACHE": str(self.directory / "cache"),
            "CLIPPER_UV": _NO_UV,
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_NO_INDEX": "1",
            "UV_CACHE_DIR": str(self.directory / "uv-cache"),
            "UV_OFFLINE": "1",
        }
        make_wheel(
            self.wheels,
            "pure-one",
            "1.0",
            {"pure_one/__init__.py": "mark = 'pure'\ndef main():\n    print('ran', mark)\n"},
            entry_points="[console_scripts]\npure-one = pure_one:main\n",
        )

    def make(
        self, *pins: str, output: str = "environment", arguments: tuple[str, ...] = (), **options: Any
    ) -> dict[str, Any]:
        lock = self.directory / "lock.txt"
        lock.write_text("".join(pin + "\n" for pin in pins))
        report = self.directory / f"{uuid.uuid4().hex}.json"
        done = run_module(
            *("environment", "--lock", str(lock), "--output", str(self.directory / output)),
            *("--report", str(report)),
            *arguments,
            environ=self.environ,
            **options,
        )
        self.progress = [line for line in done.stderr.splitlines() if line.startswith("clipper-progress: ")]
        self.assertTrue(report.exists(), done.stderr)
        result = json.loads(report.read_text())
        self.assertEqual(done.returncode, 0 if result["ok"] else 1)
        return result

    def run_in(self, report: dict[str, Any], code: str) -> str:
        return subprocess.check_output([report["python"], "-c", code], text=True, cwd="/", env={}).strip()

    def use_uv(self) -> None:
        if Uv.find(sys.executable) is None:
            self.skipTest("uv is not installed here")
        del self.environ["CLIPPER_UV"]


class Making(EnvironmentTest):
    def test_pip_makes_it_when_there_is_no_uv(self) -> None:
        self.check_made("pip")

    def test_uv_makes_it_from_the_same_settings(self) -> None:
        self.use_uv()
        self.check_made("uv")

    def check_made(self, maker: str) -> None:
        report = self.make("pure-one==1.0")
        self.assertTrue(report["ok"], report)
        self.assertEqual((report["maker"], report["packages"], report["reused"]), (maker, 1, False))
        self.assertEqual(self.run_in(report, "import pure_one; print(pure_one.mark)"), "pure")
        metadata = "import importlib.metadata as m; print(sorted(d.name for d in m.distributions()))"
        self.assertEqual(self.run_in(report, metadata), "['pure-one']")
        self.assertGreater(len(self.progress), 1)
        self.assertIn("elapsedMs", json.loads(self.progress[0].partition(" ")[2]))
        moved = self.directory / "moved"
        shutil.move(report["directory"], moved)
        self.assertEqual(subprocess.check_output([moved / "bin" / "pure-one"], text=True), "ran pure\n")

    def test_a_second_make_finds_it_and_a_changed_lock_makes_it_anew(self) -> None:
        first = self.make("pure-one==1.0")
        started = time.monotonic()
        second = self.make("pure-one==1.0")
        self.assertLess(time.monotonic() - started, 1)
        self.assertEqual(second, {**first, "reused": True})
        make_wheel(self.wheels, "second", "2.0", {"second.py": ""})
        third = self.make("pure-one==1.0", "second==2.0")
        self.assertFalse(third["reused"])
        self.run_in(third, "import second")

    def test_wheels_once_fetched_are_kept(self) -> None:
        self.make("pure-one==1.0")
        shutil.rmtree(self.wheels)
        started = time.monotonic()
        report = self.make("pure-one==1.0", output="other")
        self.assertTrue(report["ok"], report)
        self.assertLess(time.monotonic() - started, 2)

    def test_two_makers_at_once_make_it_once(self) -> None:
        with ThreadPoolExecutor() as pool:
            reports = list(pool.map(lambda number: self.make("pure-one==1.0"), range(2)))
        self.assertEqual(sorted(report["reused"] for report in reports), [False, True])

    def test_what_an_interrupted_maker_left_is_made_anew(self) -> None:
        (self.directory / "environment" / "bin").mkdir(parents=True)
        (self.directory / "environment" / "bin" / "python").write_text("half")
        report = self.make("pure-one==1.0")
        self.assertFalse(report["reused"])
        self.run_in(report, "import pure_one")
        self.assertEqual([one for one in os.listdir(self.directory) if one.startswith(".environment")], [])

    def test_a_distribution_without_a_wheel_is_built_and_said(self) -> None:
        make_source(self.wheels, "built-here", "1.0", _BACKEND)
        report = self.make("built-here==1.0")
        self.assertTrue(report["ok"], report)
        self.assertIn("built from source", report["notes"][0])
        self.assertEqual(self.run_in(report, "import built_here; print(built_here.mark)"), "built")

    def test_an_empty_lock_is_an_empty_environment(self) -> None:
        report = self.make()
        self.assertEqual((report["ok"], report["packages"]), (True, 0))


class ForAnotherPlatform(EnvironmentTest):
    """Of this machine only the interpreter is used: the packages are another machine's."""

    OTHER = ("--platform", "linux/arm64" if platform.machine() == "x86_64" else "linux/amd64")
    MACHINE = "aarch64" if platform.machine() == "x86_64" else "x86_64"

    def setUp(self) -> None:
        super().setUp()
        for machine in ("x86_64", "aarch64"):
            wheel = make_wheel(self.wheels, "native", "1.0", {"native.py": f"machine = '{machine}'"})
            os.replace(wheel, self.wheels / f"native-1.0-py3-none-manylinux_2_17_{machine}.whl")

    def check_made(self, maker: str) -> None:
        report = self.make("pure-one==1.0", "native==1.0", arguments=self.OTHER)
        self.assertTrue(report["ok"], report)
        self.assertEqual(report["maker"], maker)
        self.assertEqual(self.run_in(report, "import native; print(native.machine)"), self.MACHINE)

    def test_pip_makes_it(self) -> None:
        self.check_made("pip")

    def test_uv_makes_it(self) -> None:
        self.use_uv()
        self.check_made("uv")

    def test_what_is_pure_is_built_here_and_kept_apart_from_this_machine_s(self) -> None:
        make_source(self.wheels, "built-here", "1.0", _BACKEND)
        self.use_uv()
        report = self.make("built-here==1.0", "native==1.0", arguments=self.OTHER)
        self.assertTrue(report["ok"], report)
        self.assertEqual(self.run_in(report, "import built_here; print(built_here.mark)"), "built")
        own = self.make("native==1.0", output="own")
        self.assertNotEqual(self.run_in(own, "import native; print(native.machine)"), self.MACHINE)

    def test_what_would_have_to_be_built_there_is_named_with_the_platform(self) -> None:
        native = _BACKEND.replace("py3-none-any", f"py3-none-linux_{platform.machine()}")
        make_source(self.wheels, "built-here", "1.0", native)
        error = self.make("pure-one==1.0", "built-here==1.0", arguments=self.OTHER)["error"]
        self.assertEqual(error["code"], "WHEEL_MISSING")
        self.assertEqual(error["facts"], {"pins": ["built-here==1.0"], "platform": self.OTHER[1]})
        self.assertFalse((self.directory / "environment").exists())


class Failing(EnvironmentTest):
    def test_a_pin_nobody_has_is_named_with_what_each_installer_said(self) -> None:
        report = self.make("pure-one==1.0", "absent-thing==3.2.1")
        error = report["error"]
        self.assertEqual(error["code"], "ENVIRONMENT_FAILED")
        self.assertEqual(error["facts"]["pins"], ["absent-thing==3.2.1"])
        self.assertIn(_NO_UV, error["facts"]["said"]["uv"])
        self.assertIn("absent-thing==3.2.1", error["facts"]["said"]["pip"])
        self.assertIn("neither uv nor pip", error["message"])
        self.assertFalse((self.directory / "environment").exists())

    def test_an_interpreter_that_is_not_there_is_named(self) -> None:
        lock = self.write("lock.txt", "")
        done = run_module(
            *(
                "environment",
                "--lock",
                str(lock),
                "--output",
                str(self.directory / "e"),
                "--python",
                "/nowhere/python",
            ),
            environ=self.environ,
        )
        error = json.loads(done.stdout)["error"]
        self.assertEqual(error["code"], "ENVIRONMENT_FAILED")
        self.assertIn("/nowhere/python", error["message"])

    def test_a_lock_with_anything_but_pins_is_refused(self) -> None:
        for line in ("numpy", "numpy>=1", "--index-url=x", "numpy==1; rm -rf", "git+https://x/y"):
            with self.subTest(line):
                self.assertEqual(self.make(line)["error"]["code"], "BUNDLE_INVALID")

    def test_a_wheel_that_leaves_its_directory_is_refused(self) -> None:
        wheel = self.directory / "evil-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr("../evil.py", "")
        with self.assertRaises(Failure):
            unpack_wheel(wheel, self.directory / "site")
        self.assertFalse((self.directory / "evil.py").exists())


class IndexSettings(TemporaryDirectoryTest):
    def test_uv_is_told_what_pip_was_told_unless_it_was_told_itself(self) -> None:
        configuration = self.write(
            "pip.conf",
            f"""
            [global]
            index-url = https://one/simple
            find-links = {self.directory} /nowhere/at/all
            """,
        )
        environ = {
            "PIP_CONFIG_FILE": str(configuration),
            "PIP_CERT": "/c.pem",
            "PIP_EXTRA_INDEX_URL": "https://a https://b",
        }
        with mock.patch.object(Path, "home", lambda: self.directory):
            found = uv_environment(environ)
            kept = uv_environment({**environ, "UV_INDEX_URL": "https://mine", "SSL_CERT_FILE": "/mine"})
        self.assertEqual(found["UV_DEFAULT_INDEX"], "https://one/simple")
        self.assertEqual(found["UV_FIND_LINKS"], str(self.directory))
        self.assertEqual(found["SSL_CERT_FILE"], "/c.pem")
        self.assertEqual(found["UV_INDEX"], "https://a https://b")
        self.assertNotIn("UV_DEFAULT_INDEX", kept)
        self.assertEqual(kept["SSL_CERT_FILE"], "/mine")
