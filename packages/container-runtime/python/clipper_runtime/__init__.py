"""The Python side of Clipper: what captures a function, makes its environment, preflights it and serves it.

This file stays readable to old interpreters, so that `capture` can refuse them with a sentence instead of a
SyntaxError.
"""

__version__ = "0.0.0"

__all__ = ["save_bundle", "__version__"]


def __getattr__(name):
    """Imports `save_bundle` when it is first asked for: a replica never needs capture's code."""
    if name == "save_bundle":
        from clipper_runtime.save_bundle import save_bundle

        return save_bundle
    raise AttributeError("module 'clipper_runtime' has no attribute %r" % name)
