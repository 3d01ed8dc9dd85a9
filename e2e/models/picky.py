"""Answers every number but 13."""


def predict(inputs):
    if any(row[0] == 13 for row in inputs):
        raise ValueError("not this one")
    return [str(int(row[0])) for row in inputs]
