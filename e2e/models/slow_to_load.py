"""A model that takes its time to be captured and to be loaded, so that a deploy can be cut off on the way."""

import json
import sys
import time


class _SlowToLoad:
    def __reduce__(self):
        return (_load, ())


def _load():
    time.sleep(1.5)
    return _SlowToLoad()


print("slow to be captured", file=sys.stderr, flush=True)
time.sleep(1)
_state = _SlowToLoad()


def predict(inputs):
    assert _state is not None
    return [json.dumps({"v": "slow", "id": int(row[0])}) for row in inputs]
