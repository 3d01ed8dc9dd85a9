"""Functions that say which version answered and give the input's first number back, so that a ledger can check each answer."""

import json


def _tagged(version):
    def predict(inputs):
        return [json.dumps({"v": version, "id": int(row[0])}) for row in inputs]

    return predict


v1 = _tagged("1")
v2 = _tagged("2")
v3 = _tagged("3")
v4 = _tagged("4")
v5 = _tagged("5")
v6 = _tagged("6")
v7 = _tagged("7")
v8 = _tagged("8")
v9 = _tagged("9")
v10 = _tagged("10")
