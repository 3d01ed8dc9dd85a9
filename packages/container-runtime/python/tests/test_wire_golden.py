from __future__ import annotations

import socket
import unittest

from clipper_runtime import wire
from clipper_runtime.frame_reader import FrameReader
from clipper_runtime.protocol_error import ProtocolError
from tests.support.fixtures import described, frame_of, read_fixtures


class GoldenFrames(unittest.TestCase):
    def test_each_golden_frame_decodes_to_what_it_says(self) -> None:
        for golden in read_fixtures("golden.json"):
            with self.subTest(golden["name"]):
                frame = wire.decode_frame(memoryview(bytes.fromhex(golden["hex"])))
                self.assertIsNotNone(frame)
                self.assertEqual(described(frame), golden["frame"])

    def test_each_golden_description_encodes_to_the_same_bytes(self) -> None:
        for golden in read_fixtures("golden.json"):
            if not golden.get("decodeOnly"):
                with self.subTest(golden["name"]):
                    self.assertEqual(wire.encode_frame(frame_of(golden["frame"])).hex(), golden["hex"])

    def test_the_head_of_a_result_is_what_the_general_encoder_writes(self) -> None:
        for golden in read_fixtures("golden.json"):
            frame = frame_of(golden["frame"])
            if frame.type == wire.RESULT and list(frame.header) == ["queue", "service", "batch-size"]:
                whole = wire.encode_frame(frame)
                queue, service, size = frame.header.values()
                head = wire.encode_result_head(
                    frame.id, queue, service, size, len(frame.items), len(whole) - 56
                )
                self.assertEqual(whole[:56], head)


class HostileFrames(unittest.TestCase):
    def test_each_hostile_stream_ends_as_it_says(self) -> None:
        for hostile in read_fixtures("hostile.json"):
            with self.subTest(hostile["name"], why=hostile["why"]):
                self.assertEqual(_fate(bytes.fromhex(hostile["hex"])), hostile["expect"])


def _fate(stream: bytes) -> str:
    """What becomes of a stream that ends after those bytes."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(stream)
        theirs.shutdown(socket.SHUT_WR)
        reader = FrameReader(ours)
        fate = "incomplete"
        try:
            while (view := reader.read()) is not None:
                fate = "ignored" if wire.decode_frame(view) is None else "frame"
        except ProtocolError:
            return "protocol-error"
        return fate
