"""Says when it is executed, so that a test sees that it was not."""

import sys

print("this file is being executed", file=sys.stderr, flush=True)


def predict(inputs):
    return ["never" for _ in inputs]
