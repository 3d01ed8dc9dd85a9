"""Tells malignant from benign tumours: trains on most of the data that ships with scikit-learn, and keeps the rest to be asked about.

    python train.py        prints the held-out rows and their labels as JSON
"""

import json
import sys

from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import StandardScaler
from pyspark.ml.linalg import Vectors


def predict(spark, model, inputs):
    """Takes a session, the model and a batch of rows; makes one DataFrame of them, whatever their number."""
    frame = spark.createDataFrame([(Vectors.dense(row),) for row in inputs], ["raw"])
    return [str(int(row.prediction)) for row in model.transform(frame).select("prediction").collect()]


def build(spark):
    """Takes a session, returns the function and the model that Spark is to save."""
    rows, _, labels, _ = split()
    frame = spark.createDataFrame(
        [(Vectors.dense(row), float(label)) for row, label in zip(rows, labels)], ["raw", "label"]
    )
    scaler = StandardScaler(inputCol="raw", outputCol="features", withMean=True)
    return predict, Pipeline(stages=[scaler, LogisticRegression(regParam=0.01)]).fit(frame)


def split():
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import train_test_split

    rows, labels = load_breast_cancer(return_X_y=True)
    return train_test_split(rows.tolist(), labels.tolist(), test_size=0.3, random_state=7, stratify=labels)


if __name__ == "__main__":
    _, held_out_rows, _, held_out_labels = split()
    json.dump({"rows": held_out_rows, "labels": held_out_labels}, sys.stdout)
