"""What a function is handed: one Python value per input of a batch."""

from __future__ import annotations

import array
import base64
import binascii
import importlib
import struct
from collections.abc import Callable, Mapping
from typing import Any

from clipper_runtime.failure import Failure
from clipper_runtime.items import Item, Part

#: Input type to the datatype of its one part.
DATATYPE_OF: Mapping[str, str] = {
    "integers": "INT32",
    "floats": "FP32",
    "doubles": "FP64",
    "strings": "BYTES",
    "bytes": "BYTES",
}
_ARRAY_CODES: Mapping[str, str] = {"integers": "i", "floats": "f", "doubles": "d"}
_NUMPY_DTYPES: Mapping[str, str] = {"integers": "<i4", "floats": "<f4", "doubles": "<f8"}
_INT32_LEAST, _INT32_MOST = -(2**31), 2**31 - 1


class BadInputError(ValueError):
    """An input is not of the model's input type. Only its own item fails."""


class InputReader:
    """Turns items into values of one input type.

    strings: str · bytes: bytes · integers, floats, doubles: a read-only 1-D numpy array over the frame's own
    memory when `numpy` is given, else an `array.array` that the function owns.
    """

    def __init__(self, input_type: str, numpy: Any | None) -> None:
        self.input_type = input_type
        self._datatype = DATATYPE_OF[input_type]
        self._dimensions = 0 if self._datatype == "BYTES" else 1
        self._convert = _converter(input_type, numpy)

    def read(self, item: Item) -> Any:
        """The value of one item. Raises BadInputError."""
        if len(item.parts) != 1:
            raise BadInputError(f"an input of type {self.input_type} is one part; {len(item.parts)} came")
        part = item.parts[0]
        if part.datatype != self._datatype or len(part.shape) != self._dimensions:
            raise BadInputError(
                f"the model takes {self.input_type} ({self._datatype}, {self._dimensions} dimensions);"
                f" {part.datatype} with shape {list(part.shape)} came"
            )
        return self._convert(part.data)


def numpy_for(locked: Mapping[str, str], loaded: Mapping[str, Any]) -> Any | None:
    """numpy when loading the model imported it or the bundle's lock names it, and it can be imported; else
    None.

    A model that never heard of numpy does not pay for its import, and gets `array.array` in every environment
    alike.
    """
    if "numpy" not in loaded and "numpy" not in locked:
        return None
    try:
        return importlib.import_module("numpy")
    except ImportError:
        return None


def sample_item(input_type: str, sample: Any, item_id: int = 0) -> Item:
    """The sample's JSON value as an item, just as an edge would send it: bytes are base64 text.

    Raises Failure INVALID_SAMPLE, which names the element that does not fit.
    """
    shape: tuple[int, ...] = ()
    if input_type == "strings":
        data = _sample_text(input_type, sample).encode("utf-8", "strict")
    elif input_type == "bytes":
        try:
            data = base64.b64decode(_sample_text(input_type, sample), validate=True)
        except (binascii.Error, ValueError) as error:
            raise _invalid(f"the sample is not base64: {error}") from error
    else:
        data, shape = _sample_numbers(input_type, sample)
    return Item(item_id, parts=[Part("input", DATATYPE_OF[input_type], shape, memoryview(data))])


def _converter(input_type: str, numpy: Any | None) -> Callable[[memoryview], Any]:
    if input_type == "bytes":
        return bytes
    if input_type == "strings":
        return _text
    if numpy is None:
        code = _ARRAY_CODES[input_type]
        return lambda data: array.array(code, bytes(data))
    frombuffer, dtype = numpy.frombuffer, numpy.dtype(_NUMPY_DTYPES[input_type])
    return lambda data: frombuffer(data, dtype)


def _text(data: memoryview) -> str:
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"an input of type strings is not UTF-8: {error.reason} at byte {error.start}"
        ) from error


def _sample_text(input_type: str, sample: Any) -> str:
    if not isinstance(sample, str):
        raise _invalid(f"a sample of type {input_type} is a JSON string, not {type(sample).__name__}")
    try:
        sample.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _invalid("the sample holds a lone surrogate") from error
    return sample


def _sample_numbers(input_type: str, sample: Any) -> tuple[bytes, tuple[int, ...]]:
    if not isinstance(sample, list) or not sample:
        raise _invalid(
            f"a sample of type {input_type} is a JSON array of numbers, not {type(sample).__name__}"
        )
    for index, value in enumerate(sample):
        wanted = int if input_type == "integers" else (int, float)
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise _invalid(f"element {index} of the sample is {value!r}, which is not one of {input_type}")
        if input_type == "integers" and not _INT32_LEAST <= value <= _INT32_MOST:
            raise _invalid(f"element {index} of the sample is {value}, outside 32 bits")
    code = _ARRAY_CODES[input_type]
    try:
        return struct.pack(f"<{len(sample)}{code}", *sample), (len(sample),)
    except (OverflowError, struct.error) as error:
        raise _invalid(f"the sample does not fit {input_type}: {error}") from error


def _invalid(message: str) -> Failure:
    return Failure(
        "INVALID_SAMPLE", message, hint="the sample is one input, as it stands under `input` in a query"
    )
