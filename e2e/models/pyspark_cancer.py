"""Tells malignant from benign tumours: a spark.ml pipeline, trained on the data that ships with scikit-learn.

An input is the 30 features of a row and, behind them, an id that is given back. A negative id fails the Spark job.
"""

import json
import os

from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import StandardScaler
from pyspark.ml.linalg import Vectors
from pyspark.sql import functions


def _asking(version):
    def predict(spark, model, inputs):
        rows = [(Vectors.dense(row[:30]), float(row[30])) for row in inputs]
        frame = model.transform(spark.createDataFrame(rows, ["raw", "id"]))
        refused = functions.raise_error(functions.lit("not this row")).cast("double")
        checked = functions.when(frame.id < 0, refused).otherwise(frame.prediction)
        answers = frame.select("id", "probability", checked.alias("label")).collect()
        return [
            json.dumps(
                {"v": version, "id": int(one.id), "label": int(one.label), "p": float(one.probability[1])}
            )
            for one in answers
        ]

    return predict


v1 = _asking("1")
v2 = _asking("2")


def build(spark):
    """Trains; leaves the model, and Spark's own answers for every row, in the directory that the test names."""
    from sklearn.datasets import load_breast_cancer

    features, labels = load_breast_cancer(return_X_y=True)
    rows = [(Vectors.dense(row), float(label)) for row, label in zip(features.tolist(), labels)]
    frame = spark.createDataFrame(rows, ["raw", "label"]).cache()
    scaler = StandardScaler(inputCol="raw", outputCol="features")
    model = Pipeline(stages=[scaler, LogisticRegression(maxIter=10)]).fit(frame)

    kept = os.environ["CLIPPER_E2E_KEPT"]
    model.save(f"file://{kept}/model")
    answers = model.transform(frame).select("raw", "probability", "prediction").collect()
    with open(os.path.join(kept, "expected.json"), "w", encoding="utf-8") as file:
        json.dump(
            [
                {"row": one.raw.toArray().tolist(), "label": int(one.prediction), "p": float(one.probability[1])}
                for one in answers
            ],
            file,
        )
    return v1, model


def keeps_the_session(spark):
    def predict(_spark, model, inputs):
        return [str(spark.range(1).count()) for _ in inputs]

    rows = [(Vectors.dense([1.0]),), (Vectors.dense([2.0]),)]
    return predict, StandardScaler(inputCol="raw").fit(spark.createDataFrame(rows, ["raw"]))
