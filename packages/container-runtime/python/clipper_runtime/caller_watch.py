"""Ends a tool when its caller is gone: nobody would read its report, nor remove what it makes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import MutableMapping


def end_with_caller(environ: MutableMapping[str, str]) -> None:
    """Watches the descriptor that CLIPPER_LIFELINE names, where there is one; the user's code is not told.

    What the tool has started ends with it when the tool leads its process group.
    """
    text = environ.pop("CLIPPER_LIFELINE", "")
    if not text.isdigit():
        return
    descriptor = int(text)
    try:
        os.set_blocking(descriptor, True)
    except OSError:
        return  # somebody else's variable: the descriptor did not come along
    threading.Thread(target=_watch, args=(descriptor,), name="caller watch", daemon=True).start()


def _watch(descriptor: int) -> None:
    try:
        while os.read(descriptor, 64):
            pass
    except OSError:
        pass  # one that cannot be read is as gone as one that ended
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)
