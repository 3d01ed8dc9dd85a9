"""Waiting for file descriptors."""

from __future__ import annotations

import select
from collections.abc import Iterable
from typing import Protocol


class HasFileno(Protocol):
    def fileno(self) -> int: ...


def wait_readable(watched: Iterable[int | HasFileno], timeout_seconds: float) -> set[int]:
    """Descriptors with something to read, or at their end.

    By poll, because select ends at descriptor 1023.
    """
    poll = select.poll()
    for descriptor in watched:
        poll.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in poll.poll(max(0.0, timeout_seconds) * 1000)}
