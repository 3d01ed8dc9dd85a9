"""What went wrong, as a stable code and a sentence: the one error the commands of this package end with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Failure(Exception):
    """Known by its `code`; `hint` says what a reader can do, `facts` holds plain JSON values."""

    def __init__(
        self, code: str, message: str, *, hint: str | None = None, facts: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.facts: dict[str, Any] = dict(facts or {})

    def to_json(self) -> dict[str, Any]:
        """`{code, message, hint?, facts}`, as it stands in the reports."""
        described: dict[str, Any] = {"code": self.code, "message": self.message, "facts": self.facts}
        if self.hint is not None:
            described["hint"] = self.hint
        return described


def describe_exception(error: BaseException, limit: int = 4096) -> str:
    """The exception's type and message in at most `limit` bytes of UTF-8; never raises itself."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        message = str(error)
    except BaseException:
        message = "(its message cannot be shown)"
    return clip_text(f"{name}: {message}" if message else name, limit)


def clip_text(text: str, limit: int) -> str:
    """`text` in at most `limit` bytes of valid UTF-8; what JSON and the wire cannot carry becomes `?`."""
    raw = text.encode("utf-8", "replace")
    if len(raw) <= limit:
        return raw.decode()
    return raw[: limit - 3].decode("utf-8", "ignore") + "…"
