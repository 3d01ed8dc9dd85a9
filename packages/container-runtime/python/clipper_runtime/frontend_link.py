"""One frontend as a replica sees it: a thread that dials both connections and serves control."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from clipper_runtime import wire
from clipper_runtime.address import Address, connect
from clipper_runtime.backoff import Backoff
from clipper_runtime.data_connection import DataConnection
from clipper_runtime.frame_reader import FrameReader
from clipper_runtime.handshake import Identity, RejectedError, open_connection
from clipper_runtime.protocol_error import ProtocolError
from clipper_runtime.readable import wait_readable
from clipper_runtime.replica_log import log

BEAT_SECONDS = 1.0
#: A frontend that answers no PING for this long is gone, whatever its socket says.
_SILENCE_SECONDS = 5.0
_HANDSHAKE_SECONDS = 5.0
_FATAL_REASONS = ("version", "authentication", "protocol")
_FATAL_REJECTIONS = 3


class Serving(Protocol):
    """What a link tells and asks the replica it belongs to.

    All methods may be called from a link's thread.
    """

    identity: Identity
    secrets: str | None

    def load(self) -> tuple[int, int]:
        """Age of the batch in hand, µs, 0 when idle; and how many items wait behind the call."""

    def connected(self, connection: DataConnection) -> None: ...

    def set_frontends(self, addresses: Sequence[str]) -> None: ...

    def control_lost(self) -> None:
        """Told while no control connection is there: a batch that hangs then ends the process."""

    def recycle(self, reason: str) -> None:
        """Ends the process: its batch hangs."""

    def rejected(self, reason: str) -> None:
        """Ends the process: no frontend will ever take it."""


class FrontendLink:
    """Keeps both connections to one frontend, for ever, until drained or stopped."""

    def __init__(self, address: Address, serving: Serving) -> None:
        self.address = address
        self._serving = serving
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._stopping = threading.Event()
        self._drain_text: str | None = None
        self._retiring = False
        #: Set when the frontend has heard DRAIN, or there is none to tell.
        self.drained = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"control {address}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def drain(self, text: str, *, retire: bool = False) -> None:
        """Asks the frontend for no more batches.

        With `retire` both connections are closed once all is answered.
        """
        self._retiring = retire
        self._drain_text = text
        self._stopping.set()
        self._wake()

    def _wake(self) -> None:
        """Makes the control thread look again: something to send, or the data connection ended."""
        try:
            os.write(self._wake_write, b"x")
        except BlockingIOError:
            pass  # the pipe is full of the same message

    def _run(self) -> None:
        backoff = Backoff()
        rejections = 0
        while not self._stopping.is_set():
            try:
                self._serve_once(backoff)
                rejections = 0
            except RejectedError as error:
                log(f"{self.address} rejected this replica: {error}")
                rejections = rejections + 1 if error.reason in _FATAL_REASONS else 0
                if rejections >= _FATAL_REJECTIONS:
                    self._serving.rejected(f"{self.address} rejected this replica three times: {error}")
            except ProtocolError as error:
                log(f"{self.address} broke the protocol: {error}")
            except OSError as error:
                log(f"{self.address}: {error or type(error).__name__}")
            self._serving.control_lost()
            self._stopping.wait(backoff.next_seconds())
        self.drained.set()

    def _serve_once(self, backoff: Backoff) -> None:
        """Dials, shakes hands and serves control until the connection ends.

        Raises as `open_connection` does.
        """
        serving = self._serving
        secret = _read_secret(serving.secrets) if self.address.needs_proof else None
        data = connect(self.address, _HANDSHAKE_SECONDS, serving.secrets)
        try:
            data_reader = FrameReader(data)
            welcome = open_connection(data, data_reader, wire.ROLE_DATA, serving.identity, secret)
            control = connect(self.address, _HANDSHAKE_SECONDS, serving.secrets)
        except BaseException:
            data.close()
            raise
        connection = None
        try:
            reader = FrameReader(control)
            open_connection(control, reader, wire.ROLE_CONTROL, serving.identity, secret)
            backoff.reset()
            log(f"connected to {self.address}, epoch {welcome.epoch}")
            connection = DataConnection(data, data_reader, welcome, self._wake)
            serving.connected(connection)
            _Control(self, serving, control, reader, connection).serve()
        finally:
            control.close()
            if connection is None:
                data.close()
            else:
                connection.close()


class _Control:
    """One control connection, served until it or its data connection ends."""

    def __init__(
        self,
        link: FrontendLink,
        serving: Serving,
        connection,
        reader: FrameReader,
        data: DataConnection,
    ) -> None:
        self._link = link
        self._serving = serving
        self._connection = connection
        self._reader = reader
        self._data = data
        self._next_id = 0
        self._drain_ping = 0

    def serve(self) -> None:
        link, connection = self._link, self._connection
        connection.settimeout(_HANDSHAKE_SECONDS)
        next_beat = time.monotonic()
        heard = time.monotonic()
        while not self._data.closed:
            now = time.monotonic()
            if link._drain_text is not None and not self._drain_ping:
                self._send(wire.DRAIN, {"text": link._drain_text[:1000]})
                self._drain_ping = (
                    self._ping()
                )  # its PONG says that DRAIN was heard: no batch is sent after it
            if now >= next_beat:
                if now - heard > _SILENCE_SECONDS:
                    raise ConnectionResetError("nothing heard on control")
                age, waiting = self._serving.load()
                self._send(wire.BEAT, {"age": age, "queue-depth": waiting})
                if now - heard >= BEAT_SECONDS:
                    self._ping()
                next_beat = now + BEAT_SECONDS
            pending = connection.pending() if hasattr(connection, "pending") else 0
            if not pending and not self._reader.has_whole_frame():
                readable = wait_readable((connection, link._wake_read), next_beat - time.monotonic())
                if link._wake_read in readable:
                    os.read(link._wake_read, 64)
                if connection.fileno() not in readable:
                    continue
            view = self._reader.read()
            if view is None:
                raise ConnectionResetError("the frontend closed the control connection")
            heard = time.monotonic()
            frame = self._decode(view)
            if frame is not None:
                self._handle(frame)

    def _decode(self, view: memoryview) -> wire.Frame | None:
        try:
            return wire.decode_frame(view)
        except ProtocolError as error:
            self._send(wire.REJECT, {"reason": "protocol", "text": str(error)[:1000]})
            raise

    def _handle(self, frame: wire.Frame) -> None:
        if frame.type == wire.PING:
            self._send(wire.PONG, {}, frame.id)
        elif frame.type == wire.CANCEL:
            self._data.cancel(frame.cancel)
        elif frame.type == wire.PEERS:
            self._serving.set_frontends(frame.header.get("address", ()))
        elif frame.type == wire.RECYCLE:
            self._serving.recycle(frame.header.get("text", "") or "the frontend asked for it")
        elif frame.type == wire.DRAIN:
            log(f"{self._link.address} is going: {frame.header.get('text', '')}")
        elif frame.type == wire.REJECT:
            raise RejectedError(frame.header["reason"], frame.header.get("text", ""))
        elif frame.type == wire.PONG:
            if self._drain_ping and frame.id == self._drain_ping:
                self._link.drained.set()
                self._data.retiring = self._link._retiring
        else:
            self._send(wire.REJECT, {"reason": "protocol", "text": f"{frame.type_name} came on control"})
            raise ProtocolError(f"{frame.type_name} came on the control connection")

    def _ping(self) -> int:
        self._next_id += 1
        self._send(wire.PING, {}, self._next_id)
        return self._next_id

    def _send(self, frame_type: int, header: dict, frame_id: int = 0) -> None:
        self._connection.sendall(wire.encode_frame(wire.Frame(frame_type, frame_id, header)))


def _read_secret(directory: str | None) -> bytes | None:
    """The shared secret, read again at each dial so that it may be changed under a running replica."""
    if directory is None:
        return None
    with open(os.path.join(directory, "rpc"), "rb") as file:
        return file.read()
