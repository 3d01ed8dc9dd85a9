"""Handwritten digits by scikit-learn, with a local module that travels: trains when it is executed, once."""

import numpy
from pixels import flattened
from sklearn.datasets import load_digits
from sklearn.svm import SVC

_images, _labels = load_digits(return_X_y=True)
_classifier = SVC(gamma=0.001).fit(_images[:1200], _labels[:1200])


def predict(inputs):
    return [str(digit) for digit in _classifier.predict(numpy.array([flattened(row) for row in inputs]))]
