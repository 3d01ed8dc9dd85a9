from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

from clipper_runtime.bundle import canonical_json, digest_of, read_bundle, read_lock
from clipper_runtime.model import load_model
from tests.support.bundles import PYTHON_PATH, TemporaryDirectoryTest, run_capture, run_module

_ECHO = "def predict(inputs):\n    return [one.upper() for one in inputs]\n"


class CaptureTest(TemporaryDirectoryTest):
    def capture(self, source: str, name: str = "train.py:predict", **options: Any) -> dict[str, Any]:
        file, _, function = name.partition(":")
        path = self.write(file, source)
        return run_capture(f"{path}:{function}", self.directory / "bundle", **options)

    def assert_refused(self, report: dict[str, Any], code: str, *words: str) -> dict[str, Any]:
        self.assertFalse(report["ok"], report)
        error = report["error"]
        self.assertEqual(error["code"], code, error)
        for word in words:
            self.assertIn(word, error["message"])
        self.assertFalse((self.directory / "bundle").exists())
        return error

    def loaded_in_a_process_of_its_own(self, inputs: list) -> list:
        code = (
            "import sys, json; from clipper_runtime.model import load_model;"
            "from clipper_runtime.bundle import read_bundle;"
            "print(json.dumps(load_model(read_bundle(sys.argv[1])).call(json.loads(sys.argv[2]))))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(self.bundle), json.dumps(inputs)],
            env={**os.environ, "PYTHONPATH": PYTHON_PATH},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout.splitlines()[-1])

    @property
    def bundle(self) -> Path:
        return self.directory / "bundle"


class Bundles(CaptureTest):
    def test_a_bundle_is_what_its_manifest_says(self) -> None:
        report = self.capture(_ECHO, sample="a")
        self.assertTrue(report["ok"], report)
        raw = (self.bundle / "manifest.json").read_bytes()
        manifest = json.loads(raw)
        self.assertEqual(raw, canonical_json(manifest))
        self.assertEqual(report["digest"], digest_of(raw))
        self.assertEqual(report["manifest"], manifest)
        self.assertEqual(manifest["entry"], {"kind": "pickle", "file": "function.pkl"})
        self.assertEqual(manifest["pythonMinor"], "%d.%d" % sys.version_info[:2])
        self.assertEqual(manifest["environmentDigest"], manifest["files"]["environment/lock.txt"])
        self.assertEqual(report["lock"], [f"cloudpickle=={manifest['cloudpickleVersion']}"])
        self.assertEqual(manifest["sample"], "a")
        self.assertEqual(read_bundle(self.bundle).digest, report["digest"])
        self.assertEqual(sorted(manifest["files"]), list(manifest["files"]))

    def test_the_same_function_gives_the_same_digest_and_another_one_another(self) -> None:
        source = """
            KINDS = {"one", "two", "three", "four"}
            class Rule:
                kinds = frozenset(KINDS)
                def __call__(self, text): return text in self.kinds
            rule = Rule()
            def predict(inputs):
                return [str(rule(one) and one in {"one", "two", "five"}) for one in inputs]
        """
        digests = [
            self.capture(source, name)["digest"]
            for name in ("train.py:predict", "elsewhere/train.py:predict")
        ]
        digests.append(self.capture(source)["digest"])
        self.assertEqual(len(set(digests)), 1)
        self.assertNotIn(str(self.directory).encode(), (self.bundle / "function.pkl").read_bytes())
        self.assertNotEqual(self.capture(source.replace("five", "six"))["digest"], digests[0])

    def test_the_file_runs_once_and_its_main_block_not_at_all(self) -> None:
        report = self.capture(
            f"""
            import pathlib
            mark = pathlib.Path({str(self.directory)!r}, "runs")
            mark.write_text(mark.read_text() + "x" if mark.exists() else "x")
            table = {{"a": "b"}}
            def predict(inputs):
                return [table[one] for one in inputs]
            if __name__ == "__main__":
                raise SystemExit("the main block ran")
            """
        )
        self.assertTrue(report["ok"], report)
        self.assertEqual((self.directory / "runs").read_text(), "x")
        self.assertEqual(self.loaded_in_a_process_of_its_own(["a"]), ["b"])
        self.assertEqual((self.directory / "runs").read_text(), "x")

    def test_prints_and_threads_of_the_users_code_do_not_harm_the_report(self) -> None:
        report = self.capture(
            """
            import atexit, os, sys, threading, time
            print('{"ok": false}')
            os.write(1, b"raw\\n")
            threading.Thread(target=time.sleep, args=(60,)).start()
            atexit.register(os._exit, 9)
            def predict(inputs): return inputs
            """
        )
        self.assertTrue(report["ok"], report)

    def test_a_file_named_like_a_module_of_the_standard_library_does_not_replace_it(self) -> None:
        report = self.capture(
            "import json\ndef predict(inputs): return [json.dumps(one) for one in inputs]", "json.py:predict"
        )
        self.assertTrue(report["ok"], report)
        self.assertEqual(self.loaded_in_a_process_of_its_own(["a"]), ['"a"'])

    def test_a_callable_object_and_a_bound_method_can_be_captured(self) -> None:
        report = self.capture(
            """
            class Scaler:
                def __init__(self, suffix): self.suffix = suffix
                def __call__(self, inputs): return [one + self.suffix for one in inputs]
                def method(self, inputs): return self(inputs)
            predict = Scaler("!").method
            """
        )
        self.assertTrue(report["ok"], report)
        self.assertEqual(self.loaded_in_a_process_of_its_own(["a"]), ["a!"])


class LocalModules(CaptureTest):
    def test_local_modules_and_packages_travel_whole(self) -> None:
        self.write(
            "helpers.py",
            "import shapes.round\nfrom second import two\ndef up(text): return text.upper() + two",
        )
        self.write("second.py", "two = '2'")
        self.write("unused.py", "raise RuntimeError")
        self.write("shapes/__init__.py", "")
        self.write("shapes/round.py", "from . import data\n")
        self.write("shapes/data.py", "x = 1")
        self.write("shapes/table.csv", "1,2")
        self.write("shapes/__pycache__/data.cpython-311.pyc", "x")
        self.write("lazy.py", "mark = '~'")
        report = self.capture(
            """
            import helpers
            def predict(inputs):
                import lazy
                return [helpers.up(one) + lazy.mark for one in inputs]
            """
        )
        self.assertTrue(report["ok"], report)
        files = sorted(name for name in report["manifest"]["files"] if name.startswith("modules/"))
        self.assertEqual(
            files,
            [
                "modules/helpers.py",
                "modules/lazy.py",
                "modules/second.py",
                "modules/shapes/__init__.py",
                "modules/shapes/data.py",
                "modules/shapes/round.py",
                "modules/shapes/table.csv",
            ],
        )
        self.assertEqual(self.loaded_in_a_process_of_its_own(["a"]), ["A2~"])

    def test_a_function_of_a_local_module_travels_by_reference(self) -> None:
        self.write("package/__init__.py", "")
        self.write(
            "package/models.py",
            "from package.words import up\ndef predict(inputs): return [up(x) for x in inputs]",
        )
        self.write("package/words.py", "def up(text): return text.upper()")
        done = run_module(
            *("capture", "--function", "package.models:predict", "--name", "m", "--version", "1"),
            *(
                "--input-type",
                "strings",
                "--output",
                str(self.bundle),
                "--report",
                str(self.directory / "r.json"),
            ),
            cwd=self.directory,
        )
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        report = json.loads((self.directory / "r.json").read_text())
        self.assertEqual(
            report["manifest"]["entry"],
            {"kind": "reference", "module": "package.models", "function": "predict"},
        )
        self.assertNotIn("function.pkl", report["manifest"]["files"])
        self.assertEqual(self.loaded_in_a_process_of_its_own(["a"]), ["A"])

    def test_a_compiled_module_in_a_local_package_is_refused_by_name(self) -> None:
        self.write("native/__init__.py", "")
        self.write("native/fast.abi3.so", "not really")
        report = self.capture(
            "import native\ndef predict(inputs): return [native.__name__ for one in inputs]"
        )
        self.assert_refused(report, "LOCAL_EXTENSION", "native", "fast.abi3.so")

    def test_a_link_that_leaves_the_package_is_refused(self) -> None:
        self.write("linked/__init__.py", "")
        (self.directory / "linked" / "passwd").symlink_to("/etc/passwd")
        report = self.capture(
            "import linked\ndef predict(inputs): return [linked.__name__ for one in inputs]"
        )
        self.assert_refused(report, "CAPTURE_FAILED", "linked/passwd", "/etc/passwd")

    def test_a_directory_that_links_to_itself_is_refused(self) -> None:
        self.write("looping/__init__.py", "")
        (self.directory / "looping" / "again").symlink_to(self.directory / "looping")
        report = self.capture(
            "import looping\ndef predict(inputs): return [looping.__name__ for one in inputs]"
        )
        self.assert_refused(report, "CAPTURE_FAILED", "looping/again")

    def test_warns_when_replicas_will_run_the_file_again(self) -> None:
        self.write("helper.py", "def late():\n    from train import table\n    return table")
        report = self.capture(
            "import helper\ntable = 'x'\ndef predict(inputs): return [helper.late() for one in inputs]"
        )
        self.assertTrue(report["ok"], report)
        self.assertIn("runs that file once more", report["warnings"][0])

    def test_a_missing_import_of_a_local_module_is_refused_and_an_optional_one_is_not(self) -> None:
        self.write(
            "tolerant.py",
            """
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                import only_for_types_x
            try:
                import not_there_x
            except ImportError:
                not_there_x = None
            """,
        )
        source = "import {0}\ndef predict(inputs): return [{0}.__name__ for one in inputs]"
        self.assertTrue(self.capture(source.format("tolerant"))["ok"])
        self.write("lazy_one.py", "def f():\n    import not_there_y")
        (self.bundle / "manifest.json").unlink()
        report = self.capture(source.format("lazy_one"))
        self.assertFalse(report["ok"])


class Distributions(CaptureTest):
    def setUp(self) -> None:
        super().setUp()
        try:
            import sklearn  # noqa: F401
        except ImportError:
            self.skipTest("scikit-learn is not installed here")

    def test_the_lock_holds_what_the_function_needs_with_exact_pins(self) -> None:
        import importlib.metadata

        report = self.capture(
            """
            from sklearn.datasets import load_digits
            from sklearn.linear_model import LogisticRegression
            data = load_digits()
            model = LogisticRegression(max_iter=50).fit(data.data[:200], data.target[:200])
            def predict(inputs):
                return [str(one) for one in model.predict(inputs)]
            """,
            input_type="doubles",
            sample=[0.0] * 64,
        )
        self.assertTrue(report["ok"], report)
        pins = read_lock(self.bundle / "environment" / "lock.txt")
        for name in ("scikit-learn", "numpy", "scipy", "joblib", "threadpoolctl", "cloudpickle"):
            self.assertEqual(pins[name], importlib.metadata.version(name))
        self.assertNotIn("pip", pins)
        rules = json.loads((self.bundle / "environment" / "report.json").read_text())["distributions"]
        self.assertEqual(rules["scikit-learn"]["rule"], "pickle")
        self.assertEqual(rules["scipy"], {"rule": "requirement", "of": "scikit-learn"})
        self.assertEqual(report["captured"][0]["name"], "predict → model")
        self.assertEqual(len(load_model(read_bundle(self.bundle)).call([[0.0] * 64])), 1)

    def test_an_import_inside_the_function_is_found(self) -> None:
        report = self.capture(
            "def predict(inputs):\n    import numpy.linalg as l\n    return [l.__name__ for one in inputs]"
        )
        rules = json.loads((self.bundle / "environment" / "report.json").read_text())["distributions"]
        self.assertEqual(rules["numpy"], {"rule": "function", "module": "numpy.linalg", "source": "predict"})
        self.assertTrue(report["ok"])

    def test_what_only_the_training_needs_stays_out(self) -> None:
        report = self.capture(
            "import sklearn.svm\nanswer = '42'\ndef predict(inputs): return [answer for one in inputs]"
        )
        self.assertEqual([line.partition("==")[0] for line in report["lock"]], ["cloudpickle"])


class Refusals(CaptureTest):
    def test_what_cannot_be_pickled_is_named_by_its_path(self) -> None:
        report = self.capture(
            """
            import threading
            class Session:
                def __init__(self): self.pool = {"main": [1, threading.Lock()]}
            class Client:
                def __init__(self): self.session = Session()
            def make():
                client = Client()
                def predict(inputs):
                    return [str(client) for one in inputs]
                return predict
            predict = make()
            """
        )
        error = self.assert_refused(report, "NOT_PICKLABLE", "_thread.lock")
        self.assertEqual(
            error["facts"]["path"], "make.<locals>.predict → client → session → pool → ['main'] → [1]"
        )
        self.assertEqual(error["facts"]["type"], "_thread.lock")

    def test_a_helper_that_captures_a_socket_is_named_on_the_way(self) -> None:
        report = self.capture(
            """
            import socket
            connection = socket.socket()
            def ask(one): return connection.recv(1)
            def predict(inputs): return [ask(one) for one in inputs]
            """
        )
        error = self.assert_refused(report, "NOT_PICKLABLE", "socket.socket")
        self.assertEqual(error["facts"]["path"], "predict → ask → connection")

    def test_what_could_never_answer_a_batch_is_refused(self) -> None:
        cases = {
            "async def predict(inputs): return inputs": "async",
            "def predict(inputs): yield 'a'": "generator",
            "predict = 42": "int",
            "def predict(): return []": "called as predict(inputs)",
            "def predict(a, b): return []": "called as predict(inputs)",
            "def predict(inputs, *, key): return []": "called as predict(inputs)",
            "class predict:\n    pass": "called as predict(inputs)",
        }
        for source, word in cases.items():
            with self.subTest(source):
                self.assert_refused(self.capture(source), "CAPTURE_FAILED", word)

    def test_what_the_file_raises_is_told(self) -> None:
        cases = {
            "raise ValueError('no data')\n": ("USER_CODE_RAISED", "ValueError: no data"),
            "raise SystemExit(3)\n": ("USER_CODE_RAISED", "SystemExit"),
            "def predict(inputs:\n": ("USER_CODE_RAISED", "SyntaxError"),
            "import not_there_x\n": ("MODULE_MISSING", "not_there_x"),
            "def other(inputs): return inputs\n": ("FUNCTION_NOT_FOUND", "other"),
        }
        for source, (code, word) in cases.items():
            with self.subTest(source):
                self.assert_refused(self.capture(source), code, word)

    def test_what_does_not_exist_is_named(self) -> None:
        for function in ("/nowhere/train.py:predict", "no_such_module_x:predict", "predict", "train.py"):
            with self.subTest(function):
                self.assert_refused(run_capture(function, self.bundle), "FUNCTION_NOT_FOUND")

    def test_samples_that_do_not_fit_are_refused_before_the_file_runs(self) -> None:
        cases = [
            ("doubles", "text"),
            ("doubles", []),
            ("doubles", [1, "2"]),
            ("doubles", [True]),
            ("integers", [1.5]),
            ("integers", [2**31]),
            ("floats", [1e39]),
            ("strings", 1),
            ("bytes", "!!"),
            ("bytes", [1]),
        ]
        for input_type, sample in cases:
            with self.subTest(f"{input_type} {sample}"):
                report = self.capture("raise RuntimeError", input_type=input_type, sample=sample)
                self.assert_refused(report, "INVALID_SAMPLE")

    def test_a_capture_above_the_limit_is_refused_with_its_size(self) -> None:
        report = self.capture(
            """
            big = [bytes(2**26) for _ in range(9)]
            def predict(inputs): return [str(len(big)) for one in inputs]
            """
        )
        self.assert_refused(report, "CAPTURE_TOO_LARGE", "512 MiB")

    def test_a_directory_that_is_no_bundle_is_not_replaced(self) -> None:
        self.bundle.mkdir()
        (self.bundle / "precious").write_text("x")
        report = self.capture(_ECHO)
        self.assertEqual(report["error"]["code"], "CAPTURE_FAILED")
        self.assertEqual((self.bundle / "precious").read_text(), "x")

    def test_an_interpreter_that_is_too_old_is_refused_with_its_version(self) -> None:
        old = next((one for one in _old_interpreters() if _runs(one)), None)
        if old is None:
            self.skipTest("no interpreter older than 3.10 is installed here")
        path = self.write("train.py", _ECHO)
        done = run_module(
            *("capture", "--function", f"{path}:predict", "--name", "m", "--version", "1"),
            *("--input-type", "strings", "--output", str(self.bundle)),
            python=str(old),
        )
        error = json.loads(done.stdout)["error"]
        self.assertEqual((done.returncode, error["code"]), (1, "UNSUPPORTED_PYTHON"))


def _old_interpreters() -> list[Path]:
    names = [f"python3.{minor}" for minor in (9, 8, 7, 6)]
    places = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep)]
    found = [place / name for place in places for name in names]
    return found + sorted(Path.home().glob(".pyenv/versions/3.[6789].*/bin/python3"))


def _runs(python: Path) -> bool:
    # a version manager's shim is there for versions that are not
    return (
        os.access(python, os.X_OK) and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0
    )


class LiveSessions(CaptureTest):
    def test_save_bundle_writes_what_the_session_defined(self) -> None:
        code = f"""
import clipper_runtime
suffix = "!"
def predict(inputs):
    return [one + suffix for one in inputs]
where = {str(self.bundle)!r}
result = clipper_runtime.save_bundle(
    predict, where, name="m", version=2, input_type="strings", sample="a"
)
print(result.digest)
"""
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": PYTHON_PATH},
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        bundle = read_bundle(self.bundle)
        self.assertEqual(bundle.digest, done.stdout.strip())
        self.assertEqual((bundle.version, bundle.sample), ("2", "a"))
        with open(self.bundle / "function.pkl", "rb") as file:
            self.assertEqual(pickle.load(file)(["a"]), ["a!"])


if __name__ == "__main__":
    unittest.main()
