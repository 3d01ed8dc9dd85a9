from __future__ import annotations

import random
import tracemalloc
import unittest

from clipper_runtime import wire
from clipper_runtime.items import DATATYPES, Item, Part
from clipper_runtime.protocol_error import ProtocolError
from tests.support.fixtures import described, read_fixtures

_SEED = 20_240_607
_MUTATIONS = 12_000
_WIDTH = {"BOOL": 1, "UINT8": 1, "INT8": 1, "UINT16": 2, "INT16": 2, "FP16": 2, "UINT32": 4, "INT32": 4}


class FrameProperties(unittest.TestCase):
    def test_what_is_encoded_decodes_to_the_same(self) -> None:
        random_ = random.Random(_SEED)
        for _ in range(500):
            frame = _any_frame(random_)
            raw = wire.encode_frame(frame)
            again = wire.decode_frame(memoryview(raw))
            self.assertEqual(described(again), described(frame))
            self.assertEqual(wire.encode_frame(again), raw)

    def test_mutated_frames_raise_nothing_but_ProtocolError(self) -> None:
        random_ = random.Random(_SEED + 1)
        frames = [bytes.fromhex(golden["hex"]) for golden in read_fixtures("golden.json")]
        frames = [raw for raw in frames if len(raw) < 2_000]
        refused = 0
        for _ in range(_MUTATIONS):
            raw = _mutated(random_, bytearray(random_.choice(frames)))
            try:
                wire.decode_frame(memoryview(raw))
            except ProtocolError:
                refused += 1
        self.assertGreater(refused, _MUTATIONS // 4)

    def test_random_bytes_raise_nothing_but_ProtocolError(self) -> None:
        random_ = random.Random(_SEED + 2)
        for _ in range(5_000):
            body = random_.randbytes(random_.randrange(12, 200))
            raw = bytearray(len(body).to_bytes(4, "little") + body)
            raw[4] = random_.choice([*wire.TYPE_NAMES])
            raw[6:8] = random_.randrange(0, 40).to_bytes(2, "little")
            try:
                wire.decode_frame(memoryview(raw))
            except ProtocolError:
                continue

    def test_decoding_never_allocates_much_more_than_the_frame(self) -> None:
        random_ = random.Random(_SEED + 3)
        frames = [bytes.fromhex(golden["hex"]) for golden in read_fixtures("golden.json")]
        frames = [raw for raw in frames if len(raw) < 2_000]
        tracemalloc.start()
        try:
            for _ in range(2_000):
                raw = _mutated(random_, bytearray(random_.choice(frames)))
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                try:
                    wire.decode_frame(memoryview(raw))
                except ProtocolError:
                    pass
                # objects of Python for a frame of at most 2,000 bytes: far from what its counts may claim
                self.assertLess(tracemalloc.get_traced_memory()[1] - before, 200_000)
        finally:
            tracemalloc.stop()


def _mutated(random_: random.Random, raw: bytearray) -> bytearray:
    for _ in range(random_.choice([1, 1, 2, 4])):
        at = random_.randrange(len(raw))
        raw[at] = random_.choice([0, 1, 7, 8, 0x7F, 0x80, 0xFF, random_.randrange(256)])
    if random_.random() < 0.3:
        cut = random_.randrange(16, len(raw) + 1)
        raw = raw[:cut] + random_.randbytes(random_.randrange(0, 9))
    raw[:4] = (len(raw) - 4).to_bytes(4, "little")
    return raw


def _any_frame(random_: random.Random) -> wire.Frame:
    is_result = random_.random() < 0.5
    items = []
    for number in range(random_.randrange(1, 6)):
        if is_result and random_.random() < 0.3:
            items.append(Item(number, 1, kind="bad_output", error_text="é" * random_.randrange(1, 9)))
            continue
        items.append(
            Item(
                number,
                remaining_micros=0 if is_result else random_.randrange(2**31),
                request_id=None if is_result else random_.choice([None, "r-1", "x" * 128]),
                parts=[_any_part(random_) for _ in range(random_.randrange(0, 4))],
            )
        )
    if is_result:
        return wire.Frame(wire.RESULT, 3, {"queue": 1, "service": 2, "batch-size": len(items)}, items)
    return wire.Frame(wire.PREDICT, random_.randrange(2**53), {}, items)


def _any_part(random_: random.Random) -> Part:
    datatype = random_.choice([*DATATYPES.values()])
    name = random_.choice(["", "input", "größe"])
    if datatype == "JSON":
        return Part(name, datatype, (), b'{"a": 1}'[: 8 if random_.random() < 0.9 else 3])
    if datatype == "BYTES":
        if random_.random() < 0.5:
            return Part(name, datatype, (), random_.randbytes(random_.randrange(0, 40)))
        return Part(name, datatype, (2,), b"\1\0\0\0a\0\0\0\0")
    shape = tuple(random_.randrange(0, 4) for _ in range(random_.randrange(0, 4)))
    elements = 1
    for extent in shape:
        elements *= extent
    width = _WIDTH.get(datatype, 4 if datatype == "FP32" else 8)
    return Part(name, datatype, shape, random_.randbytes(elements * width))
