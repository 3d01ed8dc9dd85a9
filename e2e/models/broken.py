"""Functions that cannot be deployed, each in its own way."""

import threading

_lock = threading.Lock()


def raises(inputs):
    raise ValueError("this sample is not to my liking")


def wrong_length(inputs):
    return ["one too few"] * (len(inputs) - 1)


def misses_module(inputs):
    import no_such_module_anywhere

    return [no_such_module_anywhere.answer(item) for item in inputs]


def cannot_be_pickled(inputs):
    with _lock:
        return ["never" for _ in inputs]
