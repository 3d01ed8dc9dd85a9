"""Watches for SIGTERM, SIGINT and the lifeline's end, even while the function does not let Python run."""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable

from clipper_runtime.readable import wait_readable
from clipper_runtime.replica_log import log

#: After the lifeline ended, whatever still runs is ended after this long: nobody is left to end it later.
LIFELINE_SECONDS = 4.5
#: Added to the hang limit before a function that holds the interpreter lock is ended.
_LOCK_HELD_MARGIN_SECONDS = 10.0
_TICK_SECONDS = 1.0


class ShutdownWatch:
    """A thread that sleeps until the process is to end. Before `serve` is called, the end is immediate."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._lifeline: int | None = None
        self._lock_held_seconds = 0.0
        self._drain: Callable[[str], None] | None = None
        self._pending: str | None = None
        self._lock = threading.Lock()

    def start(self, lifeline: int | None, hang_limit_seconds: float) -> None:
        """Must be called by the main thread: signal handlers live there."""
        self._lifeline = lifeline
        self._lock_held_seconds = hang_limit_seconds + _LOCK_HELD_MARGIN_SECONDS
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        # written by C code at once, where the handler above waits for the function to come back to Python
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        threading.Thread(target=self._run, name="shutdown watch", daemon=True).start()

    def serve(self, drain: Callable[[str], None]) -> None:
        """From now on the process is drained by `drain(reason)`, also when its end was asked for earlier."""
        with self._lock:
            self._drain = drain
            pending = self._pending
        if pending is not None:
            drain(pending)

    def _on_signal(self, number: int, frame: object) -> None:
        # again, because a function may have replaced the wakeup descriptor
        try:
            os.write(self._write, bytes([number]))
        except BlockingIOError:
            pass  # the pipe is full of the same message

    def _run(self) -> None:
        watched = {self._read} if self._lifeline is None else {self._read, self._lifeline}
        while True:
            # C's own watchdog: ends the process with its stacks if this thread cannot run for that long
            faulthandler.dump_traceback_later(self._lock_held_seconds, exit=True)
            readable = wait_readable(watched, _TICK_SECONDS)
            if self._read in readable:
                numbers = os.read(self._read, 64)
                if signal.SIGTERM in numbers or signal.SIGINT in numbers:
                    self._end("SIGTERM" if signal.SIGTERM in numbers else "SIGINT")
            if self._lifeline in readable and not os.read(self._lifeline, 64):
                watched.discard(self._lifeline)
                self._end("the process that started this replica is gone")
                threading.Thread(target=_end_later, name="lifeline", daemon=True).start()

    def _end(self, reason: str) -> None:
        with self._lock:
            drain = self._drain
            self._pending = reason
        if drain is None:
            log(f"ended while loading: {reason}")
            os._exit(0)
        drain(reason)


def _end_later() -> None:
    time.sleep(LIFELINE_SECONDS)
    log("ended with a batch in hand: its time to drain is over")
    os._exit(0)
