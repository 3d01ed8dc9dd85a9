"""Items of PREDICT and RESULT and their payload parts, as `docs/architecture/wire.md` defines them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from clipper_runtime.failure import clip_text
from clipper_runtime.protocol_error import ProtocolError

STATUS_OK, STATUS_ERROR, STATUS_CHUNK = 0, 1, 2

#: Error kinds by their wire number.
ERROR_KINDS: Mapping[int, str] = {
    1: "model_error",
    2: "bad_output",
    3: "bad_input",
    4: "cancelled",
    5: "expired",
}
_ERROR_NUMBERS: Mapping[str, int] = {name: number for number, name in ERROR_KINDS.items()}

#: Datatype names by their wire number.
DATATYPES: Mapping[int, str] = {
    1: "BOOL",
    2: "UINT8",
    3: "UINT16",
    4: "UINT32",
    5: "UINT64",
    6: "INT8",
    7: "INT16",
    8: "INT32",
    9: "INT64",
    10: "FP16",
    11: "FP32",
    12: "FP64",
    13: "BYTES",
    14: "JSON",
}
_DATATYPE_NUMBERS: Mapping[str, int] = {name: number for number, name in DATATYPES.items()}
_BYTES, _JSON = 13, 14
#: Bytes of one element by wire number; 0 where elements vary in length.
_WIDTHS = (0, 1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 0, 0)

MAX_ITEMS = 65_536
MAX_DIMENSIONS = 8
MAX_REMAINING_MICROS = 2**31 - 1
MAX_ERROR_TEXT_BYTES = 4096
_MAX_TRACE_BYTES = 128
_MAX_SAFE_INTEGER = 2**53 - 1

_TAG_REQUEST_ID, _TAG_TRACE, _TAG_ERROR_TEXT = 32, 33, 34
_FIELD_LIMITS: Mapping[int, int] = {
    _TAG_REQUEST_ID: _MAX_TRACE_BYTES,
    _TAG_TRACE: _MAX_TRACE_BYTES,
    _TAG_ERROR_TEXT: MAX_ERROR_TEXT_BYTES,
}

_COUNT = struct.Struct("<II")
_ITEM = struct.Struct("<IBBHQIHH")
_PART = struct.Struct("<BBHI")
_FIELD = struct.Struct("<HH")
_U32 = struct.Struct("<I")
_SHAPES = tuple(struct.Struct(f"<{count}I") for count in range(MAX_DIMENSIONS + 1))
_ZEROS = tuple(bytes(count) for count in range(8))
#: The name and its padding, behind no dimension and behind one.
_INPUT_OF_ELEMENT, _INPUT_OF_VECTOR = b"input" + bytes(3), b"input" + bytes(7)
#: An outcome of status ok with one part `output`, up to its data.
_OUTPUT = struct.Struct("<IBBHQIHHBBHI6s2x")


class Part:
    """One named array of a payload; `data` is its little-endian bytes."""

    __slots__ = ("name", "datatype", "shape", "data")

    def __init__(self, name: str, datatype: str, shape: Sequence[int], data: bytes | memoryview) -> None:
        self.name = name
        self.datatype = datatype
        self.shape = tuple(shape)
        self.data = data


class Item:
    """One input on its way to the function, or one outcome on its way back.

    `kind` is "" unless status is error.
    """

    __slots__ = ("id", "status", "kind", "remaining_micros", "request_id", "trace", "error_text", "parts")

    def __init__(
        self,
        id: int,
        status: int = STATUS_OK,
        remaining_micros: int = 0,
        *,
        kind: str = "",
        request_id: str | None = None,
        trace: str | None = None,
        error_text: str | None = None,
        parts: Sequence[Part] = (),
    ) -> None:
        self.id = id
        self.status = status
        self.kind = kind
        self.remaining_micros = remaining_micros
        self.request_id = request_id
        self.trace = trace
        self.error_text = error_text
        self.parts = parts


def decode_items(view: memoryview, at: int, is_result: bool) -> list[Item]:
    """The items of a body that starts at `at` and ends with `view`."""
    size = len(view)
    if size - at < _COUNT.size:
        raise ProtocolError("the body has no room for its item count")
    count, zero = _COUNT.unpack_from(view, at)
    # 24 bytes is the smallest item: a count the body cannot hold is refused before a list is made for it
    if zero != 0 or not 1 <= count <= MAX_ITEMS or count * _ITEM.size > size - at:
        raise ProtocolError(f"a body of {size - at} bytes cannot hold {count} items")
    at += _COUNT.size
    items: list[Item] = []
    for _ in range(count):
        if size - at < _ITEM.size:
            raise ProtocolError("the body ends inside an item")
        length, status, kind, header_length, item_id, remaining, part_count, zero = _ITEM.unpack_from(
            view, at
        )
        end = at + length
        if length % 8 or length < _ITEM.size or end > size or zero:
            raise ProtocolError(f"an item of {length} bytes does not fit its body")
        if item_id > _MAX_SAFE_INTEGER:
            raise ProtocolError(f"item id {item_id} is not below 2^53")
        item = Item(item_id, status, remaining)
        if is_result:
            _check_outcome(item, kind, part_count)
        elif status or kind or remaining > MAX_REMAINING_MICROS:
            raise ProtocolError(
                f"item {item_id} of a PREDICT has status {status}, kind {kind}, remaining {remaining}"
            )
        at += _ITEM.size
        if header_length:
            at = _decode_fields(view, at, header_length, end, item)
        if part_count == 1:
            part, at = _decode_part(view, at, end)
            item.parts = (part,)
        elif part_count:
            parts = []
            for _ in range(part_count):
                part, at = _decode_part(view, at, end)
                parts.append(part)
            item.parts = parts
        if at != end:
            raise ProtocolError(f"item {item_id} is {end - at} bytes longer than its parts")
        items.append(item)
    if at != size:
        raise ProtocolError(f"{size - at} bytes follow the last item")
    return items


def encode_items(items: Sequence[Item], is_result: bool) -> list[bytes | memoryview]:
    """The body as pieces to be joined; its start is assumed to be a multiple of 8 from the frame's start."""
    if not 1 <= len(items) <= MAX_ITEMS:
        raise ProtocolError(f"{len(items)} items in one frame; 1 … {MAX_ITEMS} are allowed")
    pieces: list[bytes | memoryview] = [_COUNT.pack(len(items), 0)]
    for item in items:
        pieces.extend(encode_item(item))
    return pieces


def encode_item(item: Item) -> list[bytes | memoryview]:
    """One item as pieces to be joined."""
    header = b""
    for tag, text in (
        (_TAG_REQUEST_ID, item.request_id),
        (_TAG_TRACE, item.trace),
        (_TAG_ERROR_TEXT, item.error_text),
    ):
        if text is not None:
            raw = text.encode()
            if len(raw) > _FIELD_LIMITS[tag]:
                raise ProtocolError(
                    f"item field {tag} of {len(raw)} bytes is above its limit {_FIELD_LIMITS[tag]}"
                )
            header += _FIELD.pack(tag, len(raw)) + raw
    pieces: list[bytes | memoryview] = [b"", header, _ZEROS[-len(header) % 8]]
    for part in item.parts:
        name = part.name.encode()
        lead = len(name) + 4 * len(part.shape)
        pieces += [
            _PART.pack(_DATATYPE_NUMBERS[part.datatype], len(part.shape), len(name), len(part.data)),
            _SHAPES[len(part.shape)].pack(*part.shape),
            name,
            _ZEROS[-lead % 8],
            part.data,
            _ZEROS[-len(part.data) % 8],
        ]
    length = _ITEM.size + sum(map(len, pieces))
    kind = _ERROR_NUMBERS[item.kind] if item.kind else 0
    try:
        pieces[0] = _ITEM.pack(
            length, item.status, kind, len(header), item.id, item.remaining_micros, len(item.parts), 0
        )
    except struct.error as error:
        raise ProtocolError(f"item {item.id} does not fit its fixed part: {error}") from error
    return pieces


def encode_output(item_id: int, data: bytes) -> bytes:
    """An item that went well, as `encode_item` would write it: what is paid per output."""
    length = len(data)
    padding = -length & 7
    head = _OUTPUT.pack(40 + length + padding, 0, 0, 0, item_id, 0, 1, 0, _BYTES, 0, 6, length, b"output")
    return b"".join((head, data, _ZEROS[padding]))


def encode_failure(item_id: int, kind: str, text: str) -> bytes:
    """An item that failed, its text clipped to 4,096 bytes."""
    text = clip_text(text, MAX_ERROR_TEXT_BYTES)
    return b"".join(encode_item(Item(item_id, STATUS_ERROR, kind=kind, error_text=text)))


def _check_outcome(item: Item, kind: int, part_count: int) -> None:
    if item.remaining_micros:
        raise ProtocolError(f"item {item.id} of a RESULT has a remaining time")
    if item.status == STATUS_ERROR:
        if kind not in ERROR_KINDS or part_count:
            raise ProtocolError(f"item {item.id} is an error of kind {kind} with {part_count} parts")
        item.kind = ERROR_KINDS[kind]
    elif kind or item.status > STATUS_CHUNK:
        raise ProtocolError(f"item {item.id} of a RESULT has status {item.status} and kind {kind}")


def _decode_fields(view: memoryview, at: int, length: int, item_end: int, item: Item) -> int:
    """Reads the item's fields into `item`. Returns the offset of its first part."""
    end = at + length
    start_of_parts = end + (-length % 8)
    if start_of_parts > item_end:
        raise ProtocolError(f"fields of {length} bytes do not fit into item {item.id}")
    seen = set()
    while at < end:
        if end - at < _FIELD.size:
            raise ProtocolError(f"the fields of item {item.id} end inside a field")
        tag, size = _FIELD.unpack_from(view, at)
        at += _FIELD.size
        if size > end - at:
            raise ProtocolError(f"field {tag} of {size} bytes does not fit into item {item.id}")
        limit = _FIELD_LIMITS.get(tag)
        if limit is not None:
            if size > limit or tag in seen:
                raise ProtocolError(f"field {tag} of item {item.id} is too long, or there twice")
            seen.add(tag)
            text = _utf8(view[at : at + size], "an item field")
            if tag == _TAG_REQUEST_ID:
                item.request_id = text
            elif tag == _TAG_TRACE:
                item.trace = text
            else:
                item.error_text = text
        at += size
    if end != start_of_parts and any(view[end:start_of_parts]):
        raise ProtocolError(f"the padding after the fields of item {item.id} is not zero")
    return start_of_parts


def _decode_part(view: memoryview, at: int, end: int) -> tuple[Part, int]:
    if end - at < _PART.size:
        raise ProtocolError("an item ends inside a part")
    number, dimensions, name_length, length = _PART.unpack_from(view, at)
    if number not in DATATYPES or dimensions > MAX_DIMENSIONS:
        raise ProtocolError(f"a part has datatype {number} and {dimensions} dimensions")
    at += _PART.size
    if name_length == 5 and dimensions <= 1 and end - at >= 16:
        # what nearly every input is: looked at in few steps, because this is paid per input
        usual = _decode_usual_part(view, at, end, number, dimensions, length)
        if usual is not None:
            return usual
    lead = 4 * dimensions + name_length
    data = at + lead + (-lead % 8)
    after = data + length + (-length % 8)
    if after > end:
        raise ProtocolError(f"a part with {length} bytes of data does not fit into its item")
    shape = _SHAPES[dimensions].unpack_from(view, at)
    name_at = at + 4 * dimensions
    name = _utf8(view[name_at : name_at + name_length], "a part's name")
    if any(view[name_at + name_length : data]) or any(view[data + length : after]):
        raise ProtocolError(f"the padding of part {name!r} is not zero")
    width = _WIDTHS[number]
    if width:
        elements = 1
        for extent in shape:
            elements *= extent
        if elements * width != length:
            raise ProtocolError(
                f"part {name!r} has {length} bytes of data for shape {list(shape)} of {width} bytes each"
            )
    elif dimensions:
        if number == _JSON:
            raise ProtocolError(f"JSON part {name!r} has a dimension")
        _check_elements(view, data, length, shape)
    part = Part(name, DATATYPES[number], shape, view[data : data + length])
    if number == _JSON:
        _utf8(part.data, "a JSON part")
    return part, after


def _decode_usual_part(
    view: memoryview, at: int, end: int, number: int, dimensions: int, length: int
) -> tuple[Part, int] | None:
    """A part named `input` that is one BYTES element or one vector; None for any other, right or wrong."""
    padding = -length & 7
    if dimensions:
        data = at + 16
        after = data + length + padding
        (count,) = _U32.unpack_from(view, at)
        width = _WIDTHS[number]
        if after > end or not width or count * width != length or view[at + 4 : data] != _INPUT_OF_VECTOR:
            return None
        shape: tuple[int, ...] = (count,)
    else:
        data = at + 8
        after = data + length + padding
        if after > end or number != _BYTES or view[at:data] != _INPUT_OF_ELEMENT:
            return None
        shape = ()
    if padding and view[data + length : after] != _ZEROS[padding]:
        return None
    return Part("input", DATATYPES[number], shape, view[data : data + length]), after


def _check_elements(view: memoryview, at: int, length: int, shape: Sequence[int]) -> None:
    """BYTES with a shape: as many elements as the shape says, each a u32 length and its bytes."""
    count = 1
    for extent in shape:
        count *= extent
    end = at + length
    if count * 4 > length:
        raise ProtocolError(f"{length} bytes cannot hold {count} BYTES elements")
    for _ in range(count):
        if end - at < 4:
            raise ProtocolError("a BYTES part ends inside an element's length")
        at += 4 + _U32.unpack_from(view, at)[0]
        if at > end:
            raise ProtocolError("a BYTES element does not fit into its part")
    if at != end:
        raise ProtocolError(f"{end - at} bytes follow the last BYTES element")


def _utf8(raw: memoryview | bytes, what: str) -> str:
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolError(f"{what} is not UTF-8") from error
