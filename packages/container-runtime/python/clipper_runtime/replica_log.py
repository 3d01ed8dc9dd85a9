"""What a replica writes to its instance's log: standard error, one line at a time."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Sequence

from clipper_runtime.items import Item

_TRACEBACKS_PER_SECOND = 10
_TRACEBACK_LIMIT = 16_384


def log(text: str) -> None:
    """One line. Never raises: a log that cannot be written is no reason to stop serving."""
    try:
        print(f"clipper-replica: {text}", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass


def unbuffer_output() -> None:
    """Makes what the model prints show in the log line by line, and unprintable text never raise."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(line_buffering=True, errors="backslashreplace")


class TracebackLog:
    """Logs what the function raised, with request ids; at most ten tracebacks a second."""

    def __init__(self) -> None:
        self._second = 0
        self._written = 0
        self._left_out = 0

    def write(self, error: BaseException, items: Sequence[Item]) -> None:
        second = int(time.monotonic())
        if second != self._second:
            if self._left_out:
                log(f"{self._left_out} more exceptions of the function were not logged")
            self._second, self._written, self._left_out = second, 0, 0
        if self._written >= _TRACEBACKS_PER_SECOND:
            self._left_out += 1
            return
        self._written += 1
        names = ", ".join(item.request_id or f"item {item.id}" for item in items[:8])
        more = f" and {len(items) - 8} more" if len(items) > 8 else ""
        try:
            text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        except BaseException:
            text = f"{type(error).__name__} (its traceback cannot be shown)"
        shown = text[-_TRACEBACK_LIMIT:].rstrip()
        log(f"the function raised, called with {len(items)} inputs ({names}{more})\n{shown}")
