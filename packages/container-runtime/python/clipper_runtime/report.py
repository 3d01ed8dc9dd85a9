"""How commands tell their result: one JSON object, in a file or as the last line on stdout."""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from clipper_runtime.caller_watch import end_with_caller
from clipper_runtime.failure import Failure, describe_exception


def run_command(
    report: Path | None, work: Callable[[], Mapping[str, Any]], timeout: tuple[float, Failure] | None = None
) -> int:
    """Runs `work` and writes `{ok: true, …}` or `{ok: false, error: {code, message, hint?, facts}}`. Returns
    0 or 1.

    What the user's code prints meanwhile goes to stderr, also when it is written by C code. `timeout`:
    seconds, and the failure that is then reported while the process ends at once.
    """
    end_with_caller(os.environ)
    writer = _ReportWriter(report)
    timer = None
    if timeout is not None:
        timer = threading.Timer(timeout[0], _end_late, (writer, timeout[1]))
        timer.daemon = True
        timer.start()
        # a function that holds the interpreter lock stops the timer too: then C's own watchdog ends it,
        # without a report
        faulthandler.dump_traceback_later(timeout[0] + 5, exit=True)
    try:
        result: Mapping[str, Any] = {"ok": True, **work()}
    except Failure as failure:
        result = {"ok": False, "error": failure.to_json()}
    except KeyboardInterrupt:
        result = {"ok": False, "error": {"code": "INTERRUPTED", "message": "interrupted", "facts": {}}}
    except Exception as error:  # a fault of ours: said with its traceback, never as a bare crash
        traceback.print_exc()
        message = describe_exception(error)
        result = {"ok": False, "error": {"code": "INTERNAL", "message": message, "facts": {}}}
    finally:
        if timer is not None:
            timer.cancel()
            faulthandler.cancel_dump_traceback_later()
    writer.write(result)
    return 0 if result["ok"] else 1


class _ReportWriter:
    """Writes one report, the first it is given."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stdout = -1
        self._lock = threading.Lock()
        self._written = False
        if path is None:
            sys.stdout.flush()
            self._stdout = os.dup(1)
            os.dup2(2, 1)

    def write(self, result: Mapping[str, Any]) -> None:
        with self._lock:
            if self._written:
                return
            self._written = True
            sys.stdout.flush()
            # ASCII: whoever reads a pipe in another encoding still reads this
            line = json.dumps(result, sort_keys=True, default=str) + "\n"
            if self._path is None:
                os.write(self._stdout, line.encode())
                return
            temporary = self._path.with_name(self._path.name + ".tmp")
            temporary.write_text(line, "utf-8")
            os.replace(temporary, self._path)


def _end_late(writer: _ReportWriter, failure: Failure) -> None:
    faulthandler.dump_traceback(all_threads=True)
    writer.write({"ok": False, "error": failure.to_json()})
    os._exit(1)
