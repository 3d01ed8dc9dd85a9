"""A live session, as in a notebook: trains an RDD-based model and saves it as a bundle in the directory given."""

import json
import sys

from clipper_runtime.pyspark import save_bundle
from pyspark.mllib.classification import LogisticRegressionWithLBFGS
from pyspark.mllib.linalg import Vectors
from pyspark.mllib.regression import LabeledPoint
from pyspark.sql import SparkSession
from sklearn.datasets import load_breast_cancer


def predict(spark, model, inputs):
    return [str(int(model.predict(Vectors.dense(row)))) for row in inputs]


if __name__ == "__main__":
    spark = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1")
        .getOrCreate()
    )
    features, labels = load_breast_cancer(return_X_y=True)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    points = [LabeledPoint(label, row) for row, label in zip(features.tolist(), labels)]
    model = LogisticRegressionWithLBFGS.train(spark.sparkContext.parallelize(points), iterations=10)
    save_bundle(
        spark,
        model,
        predict,
        sys.argv[1],
        name="rdd",
        version=1,
        input_type="doubles",
        sample=features[0].tolist(),
    )
    expected = model.predict(spark.sparkContext.parallelize(features[:50].tolist())).collect()
    print(json.dumps({"rows": features[:50].tolist(), "labels": [int(one) for one in expected]}))
    spark.stop()
