"""Prints images that digits.py was not trained on, and what a bare interpreter says of them."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import digits  # noqa: E402

rows = digits._images[1200:1230].tolist()
json.dump({"rows": rows, "expected": digits.predict(rows)}, sys.stdout)
