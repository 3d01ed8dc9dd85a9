"""HELLO, CHALLENGE, PROOF, WELCOME: how a replica opens one connection."""

from __future__ import annotations

import hashlib
import hmac
import socket
import struct
from dataclasses import dataclass

from clipper_runtime import wire
from clipper_runtime.frame_reader import FrameReader
from clipper_runtime.protocol_error import ProtocolError

#: No frame of the handshake is longer than this.
_HANDSHAKE_LIMIT = 64 * 1024
_PROOF_CONTEXT = b"clipper-rpc-4\n"


@dataclass(frozen=True)
class Identity:
    """Who this replica is; the same for all its connections."""

    model: str
    version: str
    input_type: str
    replica: str
    incarnation: bytes
    bundle_digest: str
    #: Most items of one PREDICT; 0 for any.
    max_batch: int = 0


@dataclass(frozen=True)
class Welcome:
    """What the frontend said: its `epoch` (counts its starts) and the largest frame it takes, bytes."""

    epoch: int
    max_frame: int


class RejectedError(Exception):
    """The frontend said REJECT, with one of wire.md's reasons and a text for people."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(f"{reason}: {text}" if text else reason)
        self.reason = reason


def open_connection(
    connection: socket.socket, reader: FrameReader, role: int, identity: Identity, secret: bytes | None
) -> Welcome:
    """Shakes hands on a fresh connection. `secret` is None on a unix socket.

    Raises RejectedError, ProtocolError, or OSError (timeouts are OSError too).
    """
    limit, reader.limit = reader.limit, _HANDSHAKE_LIMIT
    connection.sendall(wire.encode_frame(hello(role, identity)))
    answer = _read(reader)
    if answer.type == wire.CHALLENGE and secret is not None:
        proof = proof_for(secret, answer.header["nonce"], role, identity)
        connection.sendall(wire.encode_frame(wire.Frame(wire.PROOF, header={"proof": proof})))
        answer = _read(reader)
    if answer.type == wire.REJECT:
        raise RejectedError(answer.header["reason"], answer.header.get("text", ""))
    if answer.type == wire.CHALLENGE:
        raise RejectedError(
            "authentication", "the frontend asks for a proof, and this replica was given no secret"
        )
    if answer.type != wire.WELCOME:
        raise ProtocolError(f"{answer.type_name} came where WELCOME was due")
    if answer.header["version-max"] != wire.RPC_VERSION:
        raise RejectedError("version", f"the frontend chose version {answer.header['version-max']}")
    reader.limit = limit
    return Welcome(answer.header["epoch"], min(answer.header["max-frame"], wire.MAX_FRAME_LENGTH))


def hello(role: int, identity: Identity) -> wire.Frame:
    return wire.Frame(
        wire.HELLO,
        header={
            "magic": wire.MAGIC,
            "version-min": wire.RPC_VERSION,
            "version-max": wire.RPC_VERSION,
            "role": role,
            "model": identity.model,
            "version": identity.version,
            "input-type": identity.input_type,
            "replica": identity.replica,
            "incarnation": identity.incarnation,
            "bundle-digest": identity.bundle_digest,
            "features": 0,
            **({"max-batch": identity.max_batch} if identity.max_batch else {}),
        },
    )


def proof_for(secret: bytes, nonce: bytes, role: int, identity: Identity) -> bytes:
    """HMAC-SHA256 over the context line and, each as u16 length and bytes, what wire.md lists."""
    parts = (
        nonce,
        bytes([role]),
        identity.model.encode(),
        identity.version.encode(),
        identity.replica.encode(),
        identity.incarnation,
    )
    message = _PROOF_CONTEXT + b"".join(struct.pack("<H", len(part)) + part for part in parts)
    return hmac.new(secret, message, hashlib.sha256).digest()


def _read(reader: FrameReader) -> wire.Frame:
    while True:
        view = reader.read()
        if view is None:
            raise ConnectionResetError("the frontend closed the connection during the handshake")
        frame = wire.decode_frame(view)
        if frame is not None:
            return frame
