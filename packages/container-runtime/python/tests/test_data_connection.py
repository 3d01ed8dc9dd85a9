from __future__ import annotations

import socket
import time
import unittest
from types import SimpleNamespace
from unittest import mock

from clipper_runtime import wire
from clipper_runtime.data_connection import HALF_FRAME_SECONDS, DataConnection
from clipper_runtime.frame_reader import FrameReader
from clipper_runtime.handshake import Welcome
from clipper_runtime.items import Item
from tests.support.fake_frontend import part_of


class AFrameThatHasBegun(unittest.TestCase):
    def setUp(self) -> None:
        self.now = 0.0
        clock = SimpleNamespace(monotonic=lambda: self.now, monotonic_ns=time.monotonic_ns)
        patch = mock.patch("clipper_runtime.data_connection.time", clock)
        patch.start()
        self.addCleanup(patch.stop)
        reading, self.writing = socket.socketpair()
        self.addCleanup(self.writing.close)
        self.connection = DataConnection(reading, FrameReader(reading), Welcome(1, wire.MAX_FRAME_LENGTH))
        self.addCleanup(self.connection.dispose)
        item = Item(1, remaining_micros=1, parts=[part_of("a", "strings")])
        self.frame = wire.encode_frame(wire.Frame(wire.PREDICT, items=[item]))

    def read_at(self, now: float) -> object:
        self.now = now
        return self.connection.read()

    def test_closes_its_connection_when_it_does_not_go_on(self) -> None:
        self.writing.sendall(self.frame[:8])
        self.assertIsNone(self.read_at(0))
        self.assertTrue(self.connection.has_half_frame())
        self.assertIsNone(self.read_at(HALF_FRAME_SECONDS - 1))
        self.writing.sendall(self.frame[8:9])
        self.assertIsNone(self.read_at(HALF_FRAME_SECONDS - 1))
        # One more byte, and the time begins again.
        self.assertIsNone(self.read_at(HALF_FRAME_SECONDS + 1))
        with self.assertRaisesRegex(ConnectionResetError, "did not go on"):
            self.read_at(2 * HALF_FRAME_SECONDS)

    def test_is_read_when_the_rest_comes(self) -> None:
        self.writing.sendall(self.frame[:-1])
        self.assertIsNone(self.read_at(0))
        self.writing.sendall(self.frame[-1:])
        self.assertIsNotNone(self.read_at(2 * HALF_FRAME_SECONDS))
        self.assertIsNone(self.read_at(4 * HALF_FRAME_SECONDS))
        self.assertFalse(self.connection.has_half_frame())
