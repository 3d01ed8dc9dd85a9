"""A query frontend for tests: listens, shakes hands and speaks RPC 4 over real sockets."""

from __future__ import annotations

import itertools
import os
import queue
import secrets
import socket
import ssl
import struct
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clipper_runtime import wire
from clipper_runtime.frame_reader import FrameReader
from clipper_runtime.handshake import Identity, proof_for
from clipper_runtime.items import Item, Part

_TIMEOUT_SECONDS = 15


class Channel:
    """One accepted connection: frames out, frames in."""

    def __init__(self, connection: socket.socket, reader: FrameReader, hello: wire.Frame) -> None:
        self.socket = connection
        self.hello = hello
        self._reader = reader

    def send(self, frame_type: int, header: dict[str, Any] | None = None, **more: Any) -> None:
        self.socket.sendall(wire.encode_frame(wire.Frame(frame_type, header=header or {}, **more)))

    def read(self) -> wire.Frame | None:
        """The next frame; None at the end of the stream."""
        try:
            view = self._reader.read()
        except ConnectionResetError:
            return None
        frame = wire.decode_frame(memoryview(bytes(view))) if view is not None else None
        return frame

    def read_type(self, frame_type: int) -> wire.Frame:
        """The next frame of that type; others are dropped, PINGs are answered."""
        while True:
            frame = self.read()
            if frame is None:
                raise AssertionError(f"the replica closed where {wire.TYPE_NAMES[frame_type]} was due")
            if frame.type == wire.PING:
                self.send(wire.PONG, id=frame.id)
            if frame.type == frame_type:
                return frame

    def close(self) -> None:
        self.socket.close()


class FakeReplicaPeer:
    """The frontend's end of one connected replica."""

    def __init__(self, data: Channel, control: Channel) -> None:
        self.data = data
        self.control = control
        self._ids = itertools.count(1)

    def predict(
        self, values: Sequence[Any], input_type: str = "strings", remaining_ms: int = 10_000, **fields: Any
    ) -> list[Item]:
        """Sends one batch. Returns the outcomes in the inputs' order, from as many RESULTs as there are."""
        return self.collect(*self.send_batch(values, input_type, remaining_ms, **fields))

    def send_batch(
        self, values: Sequence[Any], input_type: str = "strings", remaining_ms: int = 10_000, **fields: Any
    ) -> tuple[int, list[int]]:
        frame_id = next(self._ids)
        items = [
            Item(
                next(self._ids),
                remaining_micros=remaining_ms * 1000,
                parts=[part_of(value, input_type)],
                **fields,
            )
            for value in values
        ]
        self.data.send(wire.PREDICT, id=frame_id, items=items)
        return frame_id, [item.id for item in items]

    def collect(self, frame_id: int, ids: Sequence[int]) -> list[Item]:
        outcomes: dict[int, Item] = {}
        self.results: list[wire.Frame] = []
        while len(outcomes) < len(ids):
            frame = self.data.read_type(wire.RESULT)
            assert frame.id == frame_id, (frame.id, frame_id)
            self.results.append(frame)
            for item in frame.items:
                assert item.id in ids and item.id not in outcomes, (
                    f"item {item.id} was answered twice or never sent"
                )
                outcomes[item.id] = item
        return [outcomes[one] for one in ids]

    def serve_control(self) -> threading.Thread:
        """Answers PINGs until the connection ends, as a frontend does."""
        thread = threading.Thread(target=self._answer_pings, daemon=True)
        thread.start()
        return thread

    def _answer_pings(self) -> None:
        try:
            while (frame := self.control.read()) is not None:
                if frame.type == wire.PING:
                    self.control.send(wire.PONG, id=frame.id)
        except OSError:
            return

    def close(self) -> None:
        self.data.close()
        self.control.close()


class FakeFrontend:
    """Listens at `address`. `reject` names a reason all HELLOs are refused for."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        secret: bytes | None = None,
        reject: str | None = None,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        if path is not None:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self.address = f"unix:{path}"
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
            scheme = "tcp" if certificate is None else "tls"
            self.address = f"{scheme}:127.0.0.1:{self._listener.getsockname()[1]}"
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        self._listener.listen(16)
        self._secret = secret
        self.reject = reject
        self.rejections = 0
        self._half: dict[tuple[str, bytes], dict[int, Channel]] = {}
        self._peers: queue.Queue[FakeReplicaPeer] = queue.Queue()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def peer(self) -> FakeReplicaPeer:
        """The next replica that has both connections."""
        return self._peers.get(timeout=_TIMEOUT_SECONDS)

    def close(self) -> None:
        self._listener.close()
        if self.address.startswith("unix:"):
            os.unlink(self.address[5:])

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(_TIMEOUT_SECONDS)
            threading.Thread(target=self._shake_hands, args=(connection,), daemon=True).start()

    def _shake_hands(self, connection: socket.socket) -> None:
        if self._tls is not None:
            try:
                connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:
                return  # the replica does not trust us
        reader = FrameReader(connection)
        view = reader.read()
        if view is None:
            return
        hello = wire.decode_frame(view)
        assert hello is not None and hello.type == wire.HELLO
        channel = Channel(connection, reader, hello)
        reason = self.reject or self._check_proof(channel)
        if reason:
            self.rejections += 1
            channel.send(wire.REJECT, {"reason": reason, "text": "by the test"})
            connection.close()
            return
        channel.send(wire.WELCOME, {"version-max": 4, "epoch": 7, "max-frame": wire.MAX_FRAME_LENGTH})
        key = (hello.header["replica"], hello.header["incarnation"])
        half = self._half.setdefault(key, {})
        half[hello.header["role"]] = channel
        if len(half) == 2:
            del self._half[key]
            self._peers.put(FakeReplicaPeer(half[wire.ROLE_DATA], half[wire.ROLE_CONTROL]))

    def _check_proof(self, channel: Channel) -> str | None:
        if self._secret is None:
            return None
        nonce = secrets.token_bytes(32)
        channel.send(wire.CHALLENGE, {"nonce": nonce})
        proof = channel.read_type(wire.PROOF)
        header = channel.hello.header
        identity = Identity(
            header["model"], header["version"], "", header["replica"], header["incarnation"], ""
        )
        expected = proof_for(self._secret, nonce, header["role"], identity)
        return None if proof.header["proof"] == expected else "authentication"


def part_of(value: Any, input_type: str) -> Part:
    """One input as an edge sends it."""
    if input_type == "strings":
        return Part("input", "BYTES", (), value.encode())
    if input_type == "bytes":
        return Part("input", "BYTES", (), value)
    code, datatype = {"integers": ("i", "INT32"), "floats": ("f", "FP32"), "doubles": ("d", "FP64")}[
        input_type
    ]
    return Part("input", datatype, (len(value),), struct.pack(f"<{len(value)}{code}", *value))


def text_of(item: Item) -> str:
    """The output of an item that went well, else `kind: text`."""
    if item.status:
        return f"{item.kind}: {item.error_text}"
    return bytes(item.parts[0].data).decode()
