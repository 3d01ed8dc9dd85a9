from __future__ import annotations

import json
import os
from typing import Any

from tests.support.bundles import TemporaryDirectoryTest, capture_source, run_module


class Preflight(TemporaryDirectoryTest):
    def preflight(
        self, source: str, *arguments: str, environ: dict[str, str] | None = None, **options: Any
    ) -> dict:
        bundle = capture_source(self.directory, source, **options)
        done = run_module("preflight", "--bundle", str(bundle), *arguments, environ=environ)
        self.assertTrue(done.stdout, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if report["ok"] else 1)
        return report

    def test_tells_outputs_and_the_floor_of_three_batch_sizes(self) -> None:
        report = self.preflight("def predict(inputs): return [len(one) for one in inputs]", sample="abc")
        self.assertTrue(report["ok"], report)
        self.assertEqual(report["outputs"], ["3"])
        self.assertEqual([one["batchSize"] for one in report["floor"]], [1, 8, 64])
        self.assertTrue(all(one["p50Micros"] <= one["p99Micros"] for one in report["floor"]))
        self.assertGreater(report["loadMicros"], 0)
        self.assertIn("returns int where str is due", report["warnings"][0])

    def test_without_a_sample_it_only_loads(self) -> None:
        report = self.preflight("def predict(inputs): return inputs")
        self.assertEqual((report["ok"], report["outputs"], report["floor"]), (True, [], []))

    def test_a_function_that_raises_is_told_with_its_traceback(self) -> None:
        error = self.preflight("def predict(inputs): return [one.nope for one in inputs]", sample="a")[
            "error"
        ]
        self.assertEqual(error["code"], "PREFLIGHT_FAILED")
        self.assertIn("AttributeError: 'str' object has no attribute 'nope'", error["message"])
        self.assertIn("predict", "\n".join(error["facts"]["traceback"]))

    def test_a_wrong_length_is_told_with_both_counts(self) -> None:
        for source, outputs in (
            ("def predict(inputs): return inputs + ['more']", 2),
            ("def predict(inputs): return inputs[:1]", 1),
            ("def predict(inputs): return 'text'", None),
        ):
            with self.subTest(source):
                error = self.preflight(source, sample="a")["error"]
                self.assertEqual(error["code"], "BAD_OUTPUT")
                self.assertEqual(error["facts"]["outputs"], outputs)

    def test_a_missing_module_is_named(self) -> None:
        self.write("broken/colorsys.py", "raise ModuleNotFoundError('No module', name='colorsys')")
        environ = {"PYTHONPATH": f"{self.directory / 'broken'}:{os.environ['PYTHONPATH']}"}
        for source in (
            "import colorsys\ndef predict(inputs): return [str(colorsys.ONE_SIXTH) for one in inputs]",
            "def predict(inputs):\n    import colorsys\n    return inputs",
        ):
            with self.subTest(source):
                error = self.preflight(source, sample="a", environ=environ)["error"]
                self.assertEqual((error["code"], error["facts"]["module"]), ("MODULE_MISSING", "colorsys"))

    def test_a_function_that_does_not_come_back_is_ended(self) -> None:
        source = "import time\ndef predict(inputs): time.sleep(60)"
        error = self.preflight(source, "--timeout-ms", "1000", sample="a")["error"]
        self.assertEqual(error["code"], "PREFLIGHT_FAILED")
        self.assertIn("1000 ms", error["message"])

    def test_changed_files_and_other_minors_are_refused(self) -> None:
        bundle = capture_source(self.directory, "def predict(inputs): return inputs", sample="a")
        manifest = json.loads((bundle / "manifest.json").read_text())
        (bundle / "manifest.json").write_text(json.dumps({**manifest, "pythonMinor": "2.7"}))
        error = json.loads(run_module("preflight", "--bundle", str(bundle)).stdout)["error"]
        self.assertEqual((error["code"], error["facts"]["bundle"]), ("PYTHON_MISMATCH", "2.7"))
        (bundle / "function.pkl").write_bytes(b"changed")
        error = json.loads(run_module("preflight", "--bundle", str(bundle)).stdout)["error"]
        self.assertEqual(error["code"], "BUNDLE_INVALID")
        self.assertIn("function.pkl", error["message"])

    def test_manifests_that_are_not_what_they_should_be_are_refused(self) -> None:
        bundle = capture_source(self.directory, "def predict(inputs): return inputs")
        manifest = json.loads((bundle / "manifest.json").read_text())
        outside = {**manifest["files"], "../outside": "0" * 64}
        for change in (
            {"formatVersion": 2},
            {"inputType": "int8"},
            {"entry": {"kind": "shell"}},
            {"runtime": "r"},
            {"files": outside},
            {"files": {}},
        ):
            with self.subTest(str(change)[:60]):
                (bundle / "manifest.json").write_text(json.dumps({**manifest, **change}))
                error = json.loads(run_module("preflight", "--bundle", str(bundle)).stdout)["error"]
                self.assertEqual(error["code"], "BUNDLE_INVALID")
