"""What a function may return: one output per input, as text."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

MAX_OUTPUT_BYTES = 8 * 1024 * 1024


class BadOutputError(ValueError):
    """One output cannot be sent: it is not text, or above 8 MiB."""


class WrongShapeError(ValueError):
    """The function did not return one output per input.

    `returned` is how many it did, None when it was no list at all.
    """

    def __init__(self, message: str, returned: int | None) -> None:
        super().__init__(message)
        self.returned = returned


class UnsupportedResultError(TypeError):
    """The function returned something that only runs later: a coroutine or a generator."""


def check_outputs(result: Any, inputs: int) -> Sequence[Any]:
    """`result` as a sequence of exactly `inputs` outputs: a list, a tuple or a 1-D numpy array.

    Raises WrongShapeError with both counts, or UnsupportedResultError.
    """
    if inspect.isawaitable(result) or inspect.isgenerator(result) or inspect.isasyncgen(result):
        if inspect.iscoroutine(result):
            result.close()  # or Python warns that it was never awaited
        raise UnsupportedResultError(
            f"the function returned a {type(result).__name__}; return a list of strings"
        )
    if not isinstance(result, (list, tuple)) and not _is_vector(result):
        raise WrongShapeError(
            f"the function returned {_describe(result)} for {inputs} inputs, and a list of strings is due",
            None,
        )
    if len(result) != inputs:
        raise WrongShapeError(f"the function returned {len(result)} outputs for {inputs} inputs", len(result))
    return result


class OutputWriter:
    """Turns outputs into UTF-8: str and bytes as they are, anything else as `str(x)`, told once."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._warned = False

    def write(self, output: Any) -> bytes:
        """Raises BadOutputError when `output` is no text, its `str` raises, or it is above 8 MiB."""
        if isinstance(output, str):
            data = _encode(output)
        elif isinstance(output, (bytes, bytearray, memoryview)):
            data = bytes(output)
            try:
                data.decode("utf-8", "strict")
            except UnicodeDecodeError as error:
                raise BadOutputError(
                    f"the function returned bytes that are not UTF-8 (at {error.start})"
                ) from error
        else:
            data = _encode(self._text_of(output))
        if len(data) > MAX_OUTPUT_BYTES:
            raise BadOutputError(f"an output of {len(data)} bytes is above the limit of {MAX_OUTPUT_BYTES}")
        return data

    def _text_of(self, output: Any) -> str:
        if not self._warned:
            self._warned = True
            self._warn(f"the function returns {type(output).__name__} where str is due; sent as str(output)")
        try:
            return str(output)
        except BaseException as error:
            raise BadOutputError(
                f"str() of a returned {type(output).__name__} raised {type(error).__name__}"
            ) from error


def _encode(text: str) -> bytes:
    try:
        return text.encode("utf-8", "strict")
    except UnicodeEncodeError as error:
        raise BadOutputError(f"the function returned a lone surrogate (at {error.start})") from error


def _is_vector(result: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(result, numpy.ndarray) and result.ndim == 1


def _describe(result: Any) -> str:
    shape = getattr(result, "shape", None)
    name = type(result).__name__
    return f"{name} of shape {tuple(shape)}" if isinstance(shape, tuple) else name
