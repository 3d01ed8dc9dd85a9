"""One replica: loads a model bundle and answers the query frontends. `python -m clipper_runtime.replica`.

The thread that starts it runs the function and serves the data connections; each frontend's control
connection has a second thread, and a third one watches for signals and the lifeline. See README.md for
variables and exit statuses.
"""

from __future__ import annotations

import faulthandler
import os
import secrets
import sys
import threading
import time
from collections.abc import Sequence

from clipper_runtime.address import Address, parse_address
from clipper_runtime.batch import BatchRunner
from clipper_runtime.bundle import Bundle, read_bundle
from clipper_runtime.bytecode import never_write_bytecode
from clipper_runtime.data_connection import POLL_SECONDS, DataConnection
from clipper_runtime.failure import Failure
from clipper_runtime.frontend_link import FrontendLink
from clipper_runtime.handshake import Identity
from clipper_runtime.model import Model, load_model
from clipper_runtime.outputs import OutputWriter
from clipper_runtime.protocol_error import ProtocolError
from clipper_runtime.readable import wait_readable
from clipper_runtime.replica_log import TracebackLog, log, unbuffer_output
from clipper_runtime.replica_settings import ReplicaSettings, read_settings
from clipper_runtime.search_path import leave_working_directory
from clipper_runtime.shutdown_watch import ShutdownWatch
from clipper_runtime.trial import try_sample

EXIT_MODULE_MISSING, EXIT_BUNDLE_INVALID, EXIT_SAMPLE_FAILED, EXIT_REJECTED, EXIT_HANG = 3, 4, 5, 64, 70
EXIT_SPARK = 71

_EXIT_STATUS = {
    "MODULE_MISSING": EXIT_MODULE_MISSING,
    "BUNDLE_INVALID": EXIT_BUNDLE_INVALID,
    "PYTHON_MISMATCH": EXIT_BUNDLE_INVALID,
    "PYSPARK_MISMATCH": EXIT_BUNDLE_INVALID,
    "JAVA_MISMATCH": EXIT_BUNDLE_INVALID,
    "JAVA_MISSING": EXIT_BUNDLE_INVALID,
    "INVALID_SAMPLE": EXIT_SAMPLE_FAILED,
    "PREFLIGHT_FAILED": EXIT_SAMPLE_FAILED,
    "BAD_OUTPUT": EXIT_SAMPLE_FAILED,
    "RPC_REJECTED": EXIT_REJECTED,
    "HANG": EXIT_HANG,
    "SPARK_FAILED": EXIT_SPARK,
    "SPARK_LOST": EXIT_SPARK,
}
#: A frontend that does not say within this time that it heard DRAIN is not waited for.
_DRAIN_SECONDS = 2.0
_MOST_FRONTENDS = 64


class Replica:
    """Serves one model to all its frontends. `run` returns when it has drained."""

    def __init__(self, model: Model, settings: ReplicaSettings) -> None:
        self.secrets = settings.secrets
        bundle = model.bundle
        self.identity = Identity(
            bundle.model,
            bundle.version,
            bundle.input_type,
            settings.instance,
            secrets.token_bytes(16),
            bundle.digest,
            settings.max_batch,
        )
        self._hang_limit_nanos = settings.hang_limit_ms * 1_000_000
        self._lock = threading.Condition()
        self._links: dict[Address, FrontendLink] = {}
        self._connections: tuple[DataConnection, ...] = ()
        self._draining_since: float | None = None
        self._busy_since_nanos = 0
        self._waiting = 0
        tracebacks = TracebackLog()
        self._runner = BatchRunner(model, OutputWriter(log), tracebacks.write, self._note_call)
        self._start_links(settings.frontends)

    def run(self) -> None:
        """Serves until drained. Only the thread that runs the function may call it."""
        while True:
            connections = self._connections
            is_quiet = True
            if not connections:
                with self._lock:
                    self._lock.wait_for(lambda: self._connections, POLL_SECONDS)
            elif len(connections) == 1:
                is_quiet = not self._serve_one(connections[0])
            else:
                for connection in self._ready(connections):
                    if self._serve_one(connection):
                        is_quiet = False
            if is_quiet and self._has_drained():
                return

    def drain(self, reason: str) -> None:
        """Asks all frontends for no more batches; `run` returns once what was sent is answered.

        From any thread.
        """
        with self._lock:
            if self._draining_since is not None:
                return
            self._draining_since = time.monotonic()
            links = list(self._links.values())
        log(f"draining: {reason}")
        for link in links:
            link.drain(reason)

    # what a FrontendLink asks and tells, each from its own thread

    def load(self) -> tuple[int, int]:
        since = self._busy_since_nanos
        return ((time.monotonic_ns() - since) // 1000 + 1 if since else 0), self._waiting

    def connected(self, connection: DataConnection) -> None:
        with self._lock:
            self._connections += (connection,)
            self._lock.notify_all()

    def set_frontends(self, addresses: Sequence[str]) -> None:
        """Dials frontends that are new and retires those no longer named.

        A list nobody could serve changes nothing.
        """
        try:
            wanted = list(dict.fromkeys(parse_address(text) for text in addresses))[:_MOST_FRONTENDS]
        except ValueError as error:
            log(f"a list of frontends was ignored: {error}")
            return
        if not wanted:
            return
        with self._lock:
            gone = [link for address, link in self._links.items() if address not in wanted]
            self._links = {address: link for address, link in self._links.items() if address in wanted}
            self._start_links(wanted)
        for link in gone:
            link.drain("no longer among the frontends", retire=True)

    def control_lost(self) -> None:
        since = self._busy_since_nanos
        if since and time.monotonic_ns() - since > self._hang_limit_nanos:
            self.recycle("its control connection is lost, and its batch runs beyond the hang limit")

    def recycle(self, reason: str) -> None:
        faulthandler.dump_traceback(all_threads=True)
        end_process("HANG", f"recycled: {reason}")

    def rejected(self, reason: str) -> None:
        end_process("RPC_REJECTED", reason)

    # inside

    def _start_links(self, addresses: Sequence[Address]) -> None:
        for address in addresses:
            if address not in self._links and self._draining_since is None:
                self._links[address] = FrontendLink(address, self)
                self._links[address].start()

    def _ready(self, connections: Sequence[DataConnection]) -> Sequence[DataConnection]:
        """Connections that have something to read, those with a batch in memory first."""
        waiting = [connection for connection in connections if connection.closed or connection.has_waiting()]
        if waiting:
            return waiting
        readable = wait_readable([connection.socket for connection in connections], POLL_SECONDS)
        chosen = [connection for connection in connections if connection.socket.fileno() in readable]
        return chosen or [one for one in connections if one.retiring or one.has_half_frame()]

    def _serve_one(self, connection: DataConnection) -> bool:
        """Reads and answers at most one batch. False when none was there."""
        try:
            read = connection.read()
            if read is None:
                if connection.retiring:
                    self._forget(connection)
                return False
            frame, arrived = read
            self._busy_since_nanos = arrived
            for answer in self._runner.run(frame.items, arrived, connection.cancelled):
                connection.answer(frame.id, answer)
            return True
        except ProtocolError as error:
            log(f"a frontend broke the protocol: {error}")
            connection.reject(str(error))
            self._forget(connection)
        except OSError as error:
            if not connection.closed:
                log(f"data connection lost: {error}")
            self._forget(connection)
        finally:
            self._busy_since_nanos = 0
        return False

    def _forget(self, connection: DataConnection) -> None:
        with self._lock:
            self._connections = tuple(other for other in self._connections if other is not connection)
        connection.dispose()

    def _has_drained(self) -> bool:
        since = self._draining_since
        if since is None:
            return False
        heard = all(link.drained.is_set() for link in self._links.values())
        return heard or time.monotonic() - since > _DRAIN_SECONDS

    def _note_call(self, calling: int, waiting: int) -> None:
        self._waiting = waiting


def end_process(code: str, sentence: str) -> None:
    """Ends the process at once with the code's status and one clear last line."""
    log(f"{code}: {sentence}")
    os._exit(_EXIT_STATUS[code])


def load_and_warm_up(settings: ReplicaSettings) -> Model:
    """Raises Failure."""
    bundle: Bundle = read_bundle(settings.bundle)
    started = time.monotonic()
    model = load_model(bundle)
    log(f"loaded {bundle.model}:{bundle.version} in {time.monotonic() - started:.2f} s")
    if bundle.has_sample:
        for size in model.loaded.warm_up:
            _, micros = try_sample(model, size, log)
            log(f"warmed up by {size} × the sample in {micros / 1000:.1f} ms")
    return model


def main() -> int:
    leave_working_directory()
    never_write_bytecode()
    unbuffer_output()
    faulthandler.enable()
    watch = ShutdownWatch()
    try:
        settings = read_settings(os.environ)
        watch.start(settings.lifeline, settings.hang_limit_ms / 1000)
        model = load_and_warm_up(settings)
    except Failure as failure:
        for line in failure.facts.get("traceback", ()):
            log(line)
        log(f"{failure.code}: {failure.message}")
        return _EXIT_STATUS[failure.code]
    model.loaded.watch(lambda reason: end_process("SPARK_LOST", reason))
    replica = Replica(model, settings)
    watch.serve(replica.drain)
    replica.run()
    model.loaded.close()
    log("drained")
    return 0


if __name__ == "__main__":
    # The user's threads and exit handlers must not keep a drained replica alive.
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
