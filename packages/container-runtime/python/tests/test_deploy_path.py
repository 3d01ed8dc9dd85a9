from __future__ import annotations

import json
import os

from tests.support.bundles import TemporaryDirectoryTest, run_capture, run_module
from tests.support.fake_frontend import FakeFrontend, text_of
from tests.support.running_replica import RunningReplica


class Digits(TemporaryDirectoryTest):
    """The whole way of a deploy on real data: capture, environment, preflight, replica."""

    def test_a_classifier_of_digits_answers_as_it_did_where_it_was_trained(self) -> None:
        try:
            from sklearn.datasets import load_digits
            from sklearn.svm import SVC
        except ImportError:
            self.skipTest("scikit-learn is not installed here")
        if os.environ.get("CLIPPER_OFFLINE"):
            self.skipTest("CLIPPER_OFFLINE is set, and an environment is fetched from the package index")
        file = self.write(
            "train.py",
            """
            import numpy as np
            from sklearn.datasets import load_digits
            from sklearn.svm import SVC
            from words import spell

            data = load_digits()
            model = SVC(gamma=0.001).fit(data.data[:900], data.target[:900])

            def predict(inputs):
                return [spell(one) for one in model.predict(np.stack(inputs))]
            """,
        )
        self.write("words.py", "def spell(digit):\n    return f'digit {int(digit)}'\n")
        digits = load_digits()
        bundle = self.directory / "bundle"
        sample = digits.data[0].tolist()
        report = run_capture(f"{file}:predict", bundle, input_type="doubles", sample=sample)
        self.assertTrue(report["ok"], report)

        environment = self.directory / "environment"
        lock = bundle / "environment" / "lock.txt"
        made = run_module("environment", "--lock", str(lock), "--output", str(environment))
        self.assertEqual(made.returncode, 0, made.stdout)
        python = json.loads(made.stdout)["python"]

        flown = json.loads(run_module("preflight", "--bundle", str(bundle), python=python).stdout)
        self.assertTrue(flown["ok"], flown)
        self.assertEqual(flown["outputs"], ["digit 0"])

        self.assertTrue(list(environment.rglob("sklearn/__pycache__/*.pyc")), "nothing was kept compiled")
        self.assertEqual(list(bundle.rglob("*.pyc")), [])

        frontend = FakeFrontend(self.directory / "s")
        self.addCleanup(frontend.close)
        replica = RunningReplica(bundle, frontend.address, python=python)
        self.addCleanup(replica.close)
        peer = frontend.peer()
        self.addCleanup(peer.close)
        held_out = digits.data[900:1100]
        expected = SVC(gamma=0.001).fit(digits.data[:900], digits.target[:900]).predict(held_out)
        outcomes = peer.predict(held_out.tolist(), "doubles")
        self.assertEqual([text_of(one) for one in outcomes], [f"digit {one}" for one in expected])
