"""Reads whole frames from a blocking socket: one growing buffer, one `recv_into` per frame that fits."""

from __future__ import annotations

import socket

from clipper_runtime.wire import MAX_FRAME_LENGTH, frame_size

_FIRST_BYTES = 64 * 1024


class FrameReader:
    """Hands out views of whole frames, one at a time.

    A view is good until the next `read`. Arrays made from it may live on: a buffer that somebody still looks
    at is left to them and replaced, never written again.
    """

    def __init__(self, connection: socket.socket, limit: int = MAX_FRAME_LENGTH) -> None:
        """`limit`: largest frame length taken, bytes; more raises ProtocolError before it is allocated."""
        self._connection = connection
        self.limit = limit
        self._buffer = bytearray(_FIRST_BYTES)
        self._start = 0
        self._filled = 0

    def arrived(self) -> int:
        """Bytes of a frame that has begun and is not whole yet, or of frames not read yet."""
        return self._filled - self._start

    def has_whole_frame(self) -> bool:
        """Whether `read` would return without touching the socket."""
        available = self._filled - self._start
        if available < 4:
            return False
        with memoryview(self._buffer) as view:
            size = frame_size(view, self._start, available, self.limit)
        return size is not None and available >= size

    def read(self) -> memoryview | None:
        """The next frame, read-only; None at end of stream.

        Raises BlockingIOError when the socket's own receive timeout passes; what arrived so far is kept.
        Raises ProtocolError for a length out of bounds, OSError when the connection breaks.
        """
        while True:
            available = self._filled - self._start
            wanted = 4
            if available >= 4:
                with memoryview(self._buffer) as view:
                    wanted = frame_size(view, self._start, available, self.limit) or 4
                if available >= wanted:
                    frame = memoryview(self._buffer)[self._start : self._start + wanted].toreadonly()
                    self._start += wanted
                    return frame
            self._make_room(wanted)
            with memoryview(self._buffer) as view:
                received = self._connection.recv_into(view[self._filled :])
            if received == 0:
                return None
            self._filled += received

    def _make_room(self, wanted: int) -> None:
        """Leaves free room at the buffer's end for the frame under way, growing with what really arrives."""
        pending = self._filled - self._start
        size = len(self._buffer)
        if self._is_looked_at():
            self._replace(max(_FIRST_BYTES, min(2 * pending, wanted)))
        elif pending == 0:
            self._start = self._filled = 0
        elif self._start + wanted > size:
            if wanted <= size:
                self._buffer[:pending] = self._buffer[self._start : self._filled]
                self._start, self._filled = 0, pending
            elif self._filled == size:
                self._replace(min(max(2 * size, 2 * pending), wanted))

    def _replace(self, size: int) -> None:
        pending = self._buffer[self._start : self._filled]
        self._buffer = bytearray(max(size, len(pending) + 1))
        self._buffer[: len(pending)] = pending
        self._start, self._filled = 0, len(pending)

    def _is_looked_at(self) -> bool:
        # A bytearray refuses to change its size while anything exports its memory: the one reliable answer.
        try:
            self._buffer.append(self._buffer.pop())
        except BufferError:
            return True
        return False
