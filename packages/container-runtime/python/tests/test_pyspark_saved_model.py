from __future__ import annotations

import json

from clipper_runtime.failure import Failure
from clipper_runtime.pyspark_saved_model import (
    SavedClass,
    check_saved_by,
    class_of_model,
    import_model_class,
    read_saved_class,
)
from tests.support.bundles import TemporaryDirectoryTest


class Fitted:
    def save(self, path: str) -> None: ...

    @classmethod
    def load(cls, path: str) -> Fitted:
        return cls()


class Estimator(Fitted):
    def fit(self, frame: object) -> Fitted:
        return Fitted()


class ReadSavedClass(TemporaryDirectoryTest):
    def save(self, metadata: dict, place: str = "") -> None:
        """What Spark writes of a model, as far as its class goes."""
        self.write(f"model/{place}metadata/_SUCCESS", "")
        self.write(f"model/{place}metadata/.part-00000.crc", "crc")
        self.write(f"model/{place}metadata/part-00000-1b.txt", json.dumps(metadata) + "\n")
        self.write(f"model/{place}metadata/part-00001-1b.txt", "")

    def test_tells_the_class_and_the_version_of_each_api(self) -> None:
        for metadata, expected in (
            (
                {"class": "org.apache.spark.ml.PipelineModel", "sparkVersion": "4.0.1"},
                SavedClass("pyspark.ml.PipelineModel", "4.0.1", ()),
            ),
            (
                {"class": "org.apache.spark.mllib.classification.SVMModel", "version": "1.0"},
                SavedClass("pyspark.mllib.classification.SVMModel", None, ()),
            ),
            (
                {"class": "org.apache.spark.mllib.tree.model.RandomForestModel"},
                SavedClass("pyspark.mllib.tree.RandomForestModel", None, ()),
            ),
            (
                {"class": "pyspark.ml.pipeline.PipelineModel", "sparkVersion": "4.0.1"},
                SavedClass("pyspark.ml.pipeline.PipelineModel", "4.0.1", ()),
            ),
        ):
            with self.subTest(metadata["class"]):
                self.save(metadata)
                self.assertEqual(read_saved_class(self.directory / "model"), expected)

    def test_stages_of_the_users_own_are_told(self) -> None:
        self.save({"class": "pyspark.ml.pipeline.PipelineModel"})
        self.save({"class": "my_stages.Rounded"}, "stages/0_Rounded_1/")
        self.save({"class": "org.apache.spark.ml.feature.Binarizer"}, "stages/1_Binarizer_1/")
        self.assertEqual(read_saved_class(self.directory / "model").foreign, ("my_stages.Rounded",))

    def test_the_class_can_be_said(self) -> None:
        self.save({"class": "org.apache.spark.ml.Unheard"})
        saved = read_saved_class(self.directory / "model", "pyspark.ml.PipelineModel")
        self.assertEqual(saved.name, "pyspark.ml.PipelineModel")

    def test_other_directories_are_refused(self) -> None:
        self.write("other/metadata/part-00000", "not JSON")
        self.save({"class": "org.apache.spark.ml.PipelineModel"}, "deeper/")
        for name in ("other", "model", "gone"):
            with self.subTest(name), self.assertRaises(Failure) as raised:
                read_saved_class(self.directory / name)
            self.assertEqual(raised.exception.code, "CAPTURE_FAILED")


class Judging(TemporaryDirectoryTest):
    def test_a_model_of_a_newer_spark_is_refused_and_of_an_older_one_warned_of(self) -> None:
        def saved(version: str | None) -> SavedClass:
            return SavedClass("pyspark.ml.PipelineModel", version, ())

        self.assertIsNone(check_saved_by(saved("4.0.5"), "4.0.0"))
        self.assertIsNone(check_saved_by(saved(None), "4.0.0"))
        self.assertIn("saved by Spark 3.5.1", check_saved_by(saved("3.5.1"), "4.0.0") or "")
        with self.assertRaises(Failure) as raised:
            check_saved_by(saved("4.1.0"), "4.0.0")
        self.assertEqual(raised.exception.code, "PYSPARK_MISMATCH")

    def test_only_classes_of_pyspark_are_loaded(self) -> None:
        for name in ("subprocess.Popen", "pysparkling.Model", "pyspark", "os.path", "pyspark.;import os"):
            with self.subTest(name), self.assertRaises(Failure) as raised:
                import_model_class(name)
            self.assertIn(raised.exception.code, ("CAPTURE_FAILED", "MODULE_MISSING"))

    def test_what_is_no_fitted_model_of_pysparks_is_refused(self) -> None:
        for module, kind, word in (
            ("tests", Fitted, "is no model of PySpark's"),
            ("pyspark.ml.pipeline", Estimator, "is not fitted"),
            ("pyspark.sql.connect.ml", Fitted, "Spark Connect"),
            ("pyspark.mllib.feature", type("PCAModel", (), {}), "has no save and load"),
        ):
            model_class = type(kind.__name__, (kind,), {"__module__": module})
            with self.subTest(word), self.assertRaises(Failure) as raised:
                class_of_model(model_class())
            self.assertEqual(raised.exception.code, "CAPTURE_FAILED")
            self.assertIn(word, raised.exception.message)
        fitted = type("PipelineModel", (Fitted,), {"__module__": "pyspark.ml.pipeline"})
        self.assertEqual(class_of_model(fitted()), "pyspark.ml.pipeline.PipelineModel")
