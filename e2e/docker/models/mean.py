"""A function that needs a package with native code, and a local module that travels."""

import numpy
from scaling import scale


def mean(inputs):
    return [str(scale(float(numpy.mean(row)))) for row in inputs]


def mean_of_scaled(inputs):
    return [str(float(numpy.mean([scale(value) for value in row]))) for row in inputs]
