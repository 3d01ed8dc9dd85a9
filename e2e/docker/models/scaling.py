"""Travels with the functions that import it."""


def scale(value):
    return 10 * value
