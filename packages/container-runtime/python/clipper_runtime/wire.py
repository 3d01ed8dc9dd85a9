"""Frames and header fields of RPC 4, as `docs/architecture/wire.md` defines them. Pure: no sockets, no clock.

Decoding is strict and allocates nothing beyond the frame it is given; whatever is wrong with a frame is a
`ProtocolError`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clipper_runtime.bundle import INPUT_TYPES
from clipper_runtime.items import Item, decode_items, encode_items
from clipper_runtime.protocol_error import ProtocolError

RPC_VERSION = 4
MAGIC = b"CLP4"
MIN_FRAME_LENGTH = 12
MAX_FRAME_LENGTH = 64 * 1024 * 1024
MAX_TEXT_BYTES = 4096

HELLO, CHALLENGE, PROOF, WELCOME, REJECT = 1, 2, 3, 4, 5
BEAT, PING, PONG, CANCEL, PEERS, DRAIN, RECYCLE = 6, 7, 8, 9, 10, 11, 12
PREDICT, RESULT = 16, 17

ROLE_DATA, ROLE_CONTROL, ROLE_PEER = 1, 2, 3

TYPE_NAMES: Mapping[int, str] = {
    HELLO: "HELLO",
    CHALLENGE: "CHALLENGE",
    PROOF: "PROOF",
    WELCOME: "WELCOME",
    REJECT: "REJECT",
    BEAT: "BEAT",
    PING: "PING",
    PONG: "PONG",
    CANCEL: "CANCEL",
    PEERS: "PEERS",
    DRAIN: "DRAIN",
    RECYCLE: "RECYCLE",
    PREDICT: "PREDICT",
    RESULT: "RESULT",
}

_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_MAY_BE_IGNORED = 1
_MAX_SAFE_INTEGER = 2**53 - 1

_FRAME_HEADER = struct.Struct("<IBBHQ")
_FIELD_HEADER = struct.Struct("<HH")
_COUNT = struct.Struct("<II")
_U8, _U16, _U32, _U64 = struct.Struct("<B"), struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<Q")


@dataclass(frozen=True)
class _Field:
    """How one header field is written.

    `number` for integers; else `bytes` long between `least` and `most`.
    """

    tag: int
    number: struct.Struct | None = None
    is_text: bool = False
    least: int = 0
    most: int = 0
    repeated: bool = False


def _text(tag: int, least: int, most: int, repeated: bool = False) -> _Field:
    return _Field(tag, None, True, least, most, repeated)


_FIELDS: Mapping[str, _Field] = {
    "magic": _Field(1, None, False, 4, 4),
    "version-min": _Field(2, _U16),
    "version-max": _Field(3, _U16),
    "role": _Field(4, _U8),
    "model": _text(5, 1, 63),
    "version": _text(6, 1, 63),
    "replica": _text(7, 1, 128),
    "incarnation": _Field(8, None, False, 16, 16),
    "bundle-digest": _text(9, 0, 71),
    "features": _Field(10, _U32),
    "input-type": _text(11, 1, 63),
    "nonce": _Field(12, None, False, 32, 32),
    "proof": _Field(13, None, False, 32, 32),
    "epoch": _Field(14, _U64),
    "max-frame": _Field(15, _U32),
    "reason": _text(16, 1, 63),
    "text": _text(17, 0, MAX_TEXT_BYTES),
    "age": _Field(18, _U64),
    "queue-depth": _Field(19, _U32),
    "address": _text(20, 1, 1024, repeated=True),
    "queue": _Field(21, _U64),
    "service": _Field(22, _U64),
    "batch-size": _Field(23, _U32),
    "max-batch": _Field(24, _U32),
}
_NAMES_BY_TAG: Mapping[int, str] = {known.tag: name for name, known in _FIELDS.items()}

_REQUIRED: Mapping[int, Sequence[str]] = {
    HELLO: (
        "magic",
        "version-min",
        "version-max",
        "role",
        "model",
        "version",
        "input-type",
        "replica",
        "incarnation",
    ),
    CHALLENGE: ("nonce",),
    PROOF: ("proof",),
    WELCOME: ("version-max", "epoch", "max-frame"),
    REJECT: ("reason",),
    BEAT: ("age",),
    RESULT: ("queue", "service", "batch-size"),
}


@dataclass
class Frame:
    """One frame. `header` maps field names of wire.md to int, str, bytes, or a list of str for `address`."""

    type: int
    id: int = 0
    header: dict[str, Any] = field(default_factory=dict)
    items: Sequence[Item] = ()
    cancel: Sequence[int] = ()
    may_ignore: bool = False

    @property
    def type_name(self) -> str:
        return TYPE_NAMES.get(self.type, str(self.type))


def frame_size(view: memoryview, start: int, available: int, limit: int = MAX_FRAME_LENGTH) -> int | None:
    """Bytes of the frame that starts at `start`, its length field included; None when fewer than four bytes
    are there.

    Raises ProtocolError for a length outside 12 … `limit`, before anything is allocated for it.
    """
    if available < 4:
        return None
    (length,) = _U32.unpack_from(view, start)
    if length < MIN_FRAME_LENGTH or length > limit:
        raise ProtocolError(f"frame length {length} is outside {MIN_FRAME_LENGTH} … {limit}")
    return length + 4


def decode_frame(view: memoryview) -> Frame | None:
    """Decodes exactly one whole frame. Payload data stay views into `view`; everything else is copied.

    Returns None for a frame of a type we do not know that says it may be ignored.
    """
    if len(view) < _FRAME_HEADER.size:
        raise ProtocolError(f"a frame of {len(view)} bytes has no room for its fixed part")
    length, frame_type, flags, header_length, frame_id = _FRAME_HEADER.unpack_from(view)
    if length + 4 != len(view):
        raise ProtocolError(f"frame length {length} does not match the {len(view) - 4} bytes given")
    if frame_id > _MAX_SAFE_INTEGER:
        raise ProtocolError(f"frame id {frame_id} is not below 2^53")
    header_end = 16 + header_length
    if header_end > len(view):
        raise ProtocolError(f"a header of {header_length} bytes does not fit into the frame")
    may_ignore = bool(flags & _MAY_BE_IGNORED)
    if frame_type not in TYPE_NAMES:
        if may_ignore:
            return None
        raise ProtocolError(f"unknown frame type {frame_type}")
    header = _decode_header(view, header_end) if header_length else {}
    for name in _REQUIRED.get(frame_type, ()):
        if name not in header:
            raise ProtocolError(f"{TYPE_NAMES[frame_type]} without the field {name}")
    if frame_type == HELLO:
        _check_hello(header)
    frame = Frame(frame_type, frame_id, header, may_ignore=may_ignore)
    body = _body_start(view, header_end)
    if frame_type in (PREDICT, RESULT):
        frame.items = decode_items(view, body, frame_type == RESULT)
    elif frame_type == CANCEL:
        frame.cancel = _decode_cancel(view, body)
    elif body != len(view):
        raise ProtocolError(
            f"{TYPE_NAMES[frame_type]} has a body of {len(view) - body} bytes, and none is due"
        )
    return frame


def encode_frame(frame: Frame) -> bytes:
    """The bytes of `frame`. Header fields are written in the order of `frame.header`.

    Raises ProtocolError when a value does not fit its field or the frame would be longer than 64 MiB.
    """
    header = b"".join(_encode_field(name, value) for name, value in frame.header.items())
    if len(header) > 0xFFFF:
        raise ProtocolError(f"a header of {len(header)} bytes does not fit its u16 length")
    if frame.type == PREDICT or frame.type == RESULT:
        body = encode_items(frame.items, frame.type == RESULT)
    elif frame.type == CANCEL:
        body = [_COUNT.pack(len(frame.cancel), 0), struct.pack(f"<{len(frame.cancel)}Q", *frame.cancel)]
    else:
        body = []
    padding = bytes(-len(header) % 8) if body else b""
    length = 12 + len(header) + len(padding) + sum(map(len, body))
    if length > MAX_FRAME_LENGTH:
        raise ProtocolError(f"a frame of {length} bytes is above the limit of {MAX_FRAME_LENGTH}")
    fixed = _FRAME_HEADER.pack(
        length, frame.type, _MAY_BE_IGNORED if frame.may_ignore else 0, len(header), frame.id
    )
    return b"".join([fixed, header, padding, *body])


def _check_hello(header: Mapping[str, Any]) -> None:
    digest = header.get("bundle-digest", "")
    if header["magic"] != MAGIC:
        raise ProtocolError("HELLO does not start with the magic CLP4")
    if not ROLE_DATA <= header["role"] <= ROLE_PEER:
        raise ProtocolError(f"role {header['role']} is not 1, 2 or 3")
    if header["input-type"] not in INPUT_TYPES:
        raise ProtocolError(f"input type {header['input-type']!r} is none of {', '.join(INPUT_TYPES)}")
    if digest and _DIGEST.fullmatch(digest) is None:
        raise ProtocolError(f"bundle digest {digest!r} is not sha256: and 64 hex digits")


def _decode_header(view: memoryview, end: int) -> dict[str, Any]:
    header: dict[str, Any] = {}
    at = 16
    while at < end:
        if end - at < 4:
            raise ProtocolError("the header ends inside a field")
        tag, length = _FIELD_HEADER.unpack_from(view, at)
        at += 4
        if length > end - at:
            raise ProtocolError(f"field {tag} of {length} bytes does not fit into the header")
        name = _NAMES_BY_TAG.get(tag)
        if name is not None:
            known = _FIELDS[name]
            value = _decode_value(name, known, view[at : at + length])
            if known.repeated:
                header.setdefault(name, []).append(value)
            elif name in header:
                raise ProtocolError(f"field {name} is there twice")
            else:
                header[name] = value
        at += length
    return header


def _decode_value(name: str, known: _Field, raw: memoryview) -> Any:
    if known.number is not None:
        if len(raw) != known.number.size:
            raise ProtocolError(f"field {name} has {len(raw)} bytes instead of {known.number.size}")
        (value,) = known.number.unpack(raw)
        if value > _MAX_SAFE_INTEGER:
            raise ProtocolError(f"field {name} is not below 2^53")
        return value
    if not known.least <= len(raw) <= known.most:
        raise ProtocolError(f"field {name} has {len(raw)} bytes; {known.least} … {known.most} are allowed")
    if not known.is_text:
        return bytes(raw)
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"field {name} is not UTF-8") from error


def _encode_field(name: str, value: Any) -> bytes:
    known = _FIELDS[name]
    if known.repeated:
        return b"".join(_encode_bytes(name, known, part.encode()) for part in value)
    if known.number is not None:
        try:
            return _FIELD_HEADER.pack(known.tag, known.number.size) + known.number.pack(value)
        except struct.error as error:
            raise ProtocolError(f"{value} does not fit the field {name}") from error
    return _encode_bytes(name, known, value.encode() if known.is_text else value)


def _encode_bytes(name: str, known: _Field, raw: bytes) -> bytes:
    if not known.least <= len(raw) <= known.most:
        raise ProtocolError(f"field {name} has {len(raw)} bytes; {known.least} … {known.most} are allowed")
    return _FIELD_HEADER.pack(known.tag, len(raw)) + raw


def _body_start(view: memoryview, header_end: int) -> int:
    """Offset of the body, or the frame's end when there is none."""
    if header_end == len(view):
        return header_end
    start = header_end + (-header_end % 8)
    if start >= len(view):
        raise ProtocolError("the frame ends inside the padding before its body")
    if any(view[header_end:start]):
        raise ProtocolError("the padding before the body is not zero")
    return start


def _decode_cancel(view: memoryview, at: int) -> Sequence[int]:
    if len(view) - at < _COUNT.size:
        raise ProtocolError("CANCEL has no room for its count")
    count, zero = _COUNT.unpack_from(view, at)
    if zero != 0 or count * 8 != len(view) - at - _COUNT.size:
        raise ProtocolError(f"CANCEL of {count} items does not match its body of {len(view) - at} bytes")
    ids = struct.unpack_from(f"<{count}Q", view, at + _COUNT.size)
    if ids and max(ids) > _MAX_SAFE_INTEGER:
        raise ProtocolError("CANCEL names an item id that is not below 2^53")
    return ids


_RESULT_FIELDS = struct.Struct("<HHQHHQHHI")
_RESULT_HEAD = struct.Struct("<IBBHQ32sII")


#: Bytes of a RESULT before its first item.
RESULT_HEAD_BYTES = _RESULT_HEAD.size


def encode_result_head(
    frame_id: int, queue_micros: int, service_micros: int, batch_size: int, count: int, items_bytes: int
) -> bytes:
    """A RESULT up to its first item, for `count` encoded items of `items_bytes` in all."""
    fields = _RESULT_FIELDS.pack(21, 8, queue_micros, 22, 8, service_micros, 23, 4, batch_size)
    return _RESULT_HEAD.pack(
        _RESULT_HEAD.size - 4 + items_bytes, RESULT, 0, len(fields), frame_id, fields, count, 0
    )
