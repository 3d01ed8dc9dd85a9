"""How long to wait before dialling again."""

from __future__ import annotations

import random
from dataclasses import dataclass

_FIRST_SECONDS = 0.05
_MOST_SECONDS = 0.5


@dataclass
class Backoff:
    """50 ms, then twice as long each time up to 500 ms, each times a random factor between 0.5 and 1."""

    _seconds: float = _FIRST_SECONDS

    def next_seconds(self) -> float:
        wait = self._seconds * random.uniform(0.5, 1)
        self._seconds = min(2 * self._seconds, _MOST_SECONDS)
        return wait

    def reset(self) -> None:
        self._seconds = _FIRST_SECONDS
