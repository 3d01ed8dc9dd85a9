from __future__ import annotations

import time
import unittest
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clipper_runtime.batch import BatchRunner
from clipper_runtime.bundle import Bundle
from clipper_runtime.inputs import InputReader
from clipper_runtime.items import Item
from clipper_runtime.model import Loaded, Model
from clipper_runtime.outputs import OutputWriter
from tests.support.fake_frontend import part_of

_CALL_SECONDS = 0.02


class Retry(unittest.TestCase):
    """A batch that fails where each call costs much: it must not hold its replica for long."""

    def run_batch(self, answer: Callable[[list], Any], retry_seconds: float) -> tuple[int, Counter]:
        """The calls of a batch of 64, and how its items ended: by their text, "" for an output."""
        calls = 0

        def call(inputs: list) -> Any:
            nonlocal calls
            calls += 1
            time.sleep(_CALL_SECONDS)
            return answer(inputs)

        loaded = Loaded(call, retry_seconds=retry_seconds)
        model = Model(Bundle(Path(), {}, ""), InputReader("strings", None), loaded)
        runner = BatchRunner(model, OutputWriter(print), lambda *_: None, lambda *_: None)
        items = [
            Item(number, remaining_micros=60_000_000, parts=[part_of(f"{number}", "strings")])
            for number in range(64)
        ]
        answered: Counter = Counter()
        for one in runner.run(items, time.monotonic_ns()):
            for encoded in one.outcomes:
                text = "time" if b"no time was left" in encoded else "poison" if b"poison" in encoded else ""
                answered[text] += 1
        return calls, answered

    def test_one_bad_input_is_found_within_the_time(self) -> None:
        calls, answered = self.run_batch(_poisoned_by("5"), 10)
        self.assertEqual((calls, answered), (13, Counter({"": 63, "poison": 1})))

    def test_many_bad_inputs_are_not_looked_for_longer(self) -> None:
        calls, answered = self.run_batch(_poisoned_by(*map(str, range(64))), 5 * _CALL_SECONDS)
        self.assertLessEqual(calls, 7)
        self.assertEqual(answered.total(), 64)
        self.assertGreater(answered["time"], 32)

    def test_a_wrong_length_is_not_looked_into_for_longer_either(self) -> None:
        calls, answered = self.run_batch(lambda inputs: inputs * 2, 5 * _CALL_SECONDS)
        self.assertLessEqual(calls, 7)
        self.assertGreater(answered["time"], 32)


def _poisoned_by(*poisons: str) -> Callable[[list], Any]:
    def answer(inputs: list) -> Any:
        if any(one in poisons for one in inputs):
            raise ValueError("poison")
        return inputs

    return answer
