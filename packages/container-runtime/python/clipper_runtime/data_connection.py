"""The data connection to one frontend: PREDICT in, RESULT out, all by the thread that runs the function."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterable

from clipper_runtime import wire
from clipper_runtime.batch import Answer
from clipper_runtime.frame_reader import FrameReader
from clipper_runtime.handshake import Welcome
from clipper_runtime.items import MAX_ITEMS, encode_failure
from clipper_runtime.protocol_error import ProtocolError
from clipper_runtime.wire import RESULT_HEAD_BYTES

#: How long a read blocks before the loop looks whether it is to drain or has another frontend.
POLL_SECONDS = 0.1
#: How long a frame that has begun may stand still.
HALF_FRAME_SECONDS = 10.0
_CANCELLED_LIMIT = 65_536


class DataConnection:
    """Reads batches and writes answers.

    `cancel` and `close` may be called by another thread, nothing else.
    """

    def __init__(
        self,
        connection: socket.socket,
        reader: FrameReader,
        welcome: Welcome,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_close` is called by whoever closes it, perhaps more than once."""
        self.socket = connection
        self._on_close = on_close
        self.welcome = welcome
        self.cancelled: set[int] = set()
        self.closed = False
        #: Set when the frontend sends no more batches and this connection is to end once it is quiet.
        self.retiring = False
        self._reader = reader
        self._half_frame = 0
        self._half_frame_since = 0.0
        connection.settimeout(None)
        # The kernel's own timeout: a blocking recv that still comes back, without the poll() a Python timeout
        # costs per read.
        micros = int(POLL_SECONDS * 1e6)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", 0, micros))

    def has_waiting(self) -> bool:
        """Whether a batch may be read without waiting for the socket."""
        pending = self.socket.pending() if isinstance(self.socket, ssl.SSLSocket) else 0
        return pending > 0 or self._reader.has_whole_frame()

    def has_half_frame(self) -> bool:
        """Whether a frame has begun, so that `read` has to look whether it goes on."""
        return self._reader.arrived() > 0

    def read(self) -> tuple[wire.Frame, int] | None:
        """The next PREDICT and when it had been read (`time.monotonic_ns()`); None when none came in
        POLL_SECONDS.

        Raises ProtocolError, or OSError when the connection is gone (ConnectionResetError at its end).
        """
        try:
            view = self._reader.read()
        except (BlockingIOError, ssl.SSLWantReadError):
            self._check_half_frame()
            return None
        if view is None:
            raise ConnectionResetError("the frontend closed the data connection")
        arrived = time.monotonic_ns()
        frame = wire.decode_frame(view)
        if frame is None:
            return None
        if frame.type == wire.REJECT:
            raise ConnectionResetError(
                f"the frontend said {frame.header['reason']}: {frame.header.get('text', '')}"
            )
        if frame.type != wire.PREDICT:
            raise ProtocolError(f"{frame.type_name} came on the data connection")
        return frame, arrived

    def answer(self, frame_id: int, answer: Answer) -> None:
        """Sends one RESULT, or several when it would be longer than the frontend takes. Raises OSError."""
        limit = self.welcome.max_frame - RESULT_HEAD_BYTES
        pieces: list[bytes] = []
        size = 0
        for item_id, encoded in zip(answer.ids, answer.outcomes):
            if len(encoded) > limit:
                encoded = encode_failure(
                    item_id, "bad_output", f"an output of {len(encoded)} bytes is above {limit}"
                )
            if pieces and (size + len(encoded) > limit or len(pieces) == MAX_ITEMS):
                self._send(frame_id, answer, size, pieces)
                pieces, size = [], 0
            pieces.append(encoded)
            size += len(encoded)
        self._send(frame_id, answer, size, pieces)
        if self.cancelled:
            self.cancelled.difference_update(answer.ids)

    def reject(self, text: str) -> None:
        """Says that the frontend broke the protocol, when it still can."""
        frame = wire.Frame(wire.REJECT, header={"reason": "protocol", "text": text[:1000]})
        try:
            self.socket.settimeout(1)
            self.socket.sendall(wire.encode_frame(frame))
        except OSError:
            pass  # it is closed in either case

    def cancel(self, ids: Iterable[int]) -> None:
        """Remembers ids nobody waits for, of items to come too; forgets all when too many."""
        if len(self.cancelled) > _CANCELLED_LIMIT:
            self.cancelled.clear()
        self.cancelled.update(ids)

    def close(self) -> None:
        """Closes at once; a read that blocks in another thread ends. May be called twice."""
        self.closed = True
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it was gone already
        self._on_close()

    def dispose(self) -> None:
        """Gives the descriptor back.

        Only the reading thread may, or the number could be reused under its read.
        """
        self.close()
        self.socket.close()

    def _check_half_frame(self) -> None:
        """Raises ConnectionResetError when a frame has begun and does not go on."""
        arrived = self._reader.arrived()
        now = time.monotonic()
        if arrived == 0 or arrived != self._half_frame:
            self._half_frame, self._half_frame_since = arrived, now
        elif now - self._half_frame_since > HALF_FRAME_SECONDS:
            raise ConnectionResetError(f"a frame began and did not go on for {HALF_FRAME_SECONDS:g} s")

    def _send(self, frame_id: int, answer: Answer, size: int, pieces: list[bytes]) -> None:
        head = wire.encode_result_head(
            frame_id, answer.queue_micros, answer.service_micros, answer.batch_size, len(pieces), size
        )
        self.socket.sendall(b"".join([head, *pieces]))
