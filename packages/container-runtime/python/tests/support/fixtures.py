"""The frames that both languages read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clipper_runtime import wire
from clipper_runtime.items import ERROR_KINDS, Item, Part

PACKAGE = Path(__file__).resolve().parents[3]
FIXTURES = PACKAGE.parent / "rpc" / "fixtures"

_HEX_FIELDS = ("magic", "incarnation", "nonce", "proof")
_TYPES = {name: number for number, name in wire.TYPE_NAMES.items()}


def read_fixtures(name: str) -> list[dict[str, Any]]:
    return json.loads((FIXTURES / name).read_text("utf-8"))


def described(frame: wire.Frame) -> dict[str, Any]:
    """A frame as golden.json describes it."""
    kinds = {name: number for number, name in ERROR_KINDS.items()}
    return {
        "type": frame.type_name,
        "id": frame.id,
        "mayIgnore": frame.may_ignore,
        "header": {
            name: value.hex() if name in _HEX_FIELDS else value for name, value in frame.header.items()
        },
        "items": [
            {
                "id": item.id,
                "status": item.status,
                "kind": kinds.get(item.kind, 0),
                "remainingMicros": item.remaining_micros,
                "requestId": item.request_id or "",
                "trace": item.trace or "",
                "errorText": item.error_text or "",
                "parts": [
                    {
                        "name": part.name,
                        "datatype": part.datatype,
                        "shape": list(part.shape),
                        "dataHex": bytes(part.data).hex(),
                    }
                    for part in item.parts
                ],
            }
            for item in frame.items
        ],
        "cancel": list(frame.cancel),
    }


def frame_of(text: dict[str, Any]) -> wire.Frame:
    """The frame that golden.json describes."""
    return wire.Frame(
        _TYPES[text["type"]],
        text["id"],
        {
            name: bytes.fromhex(value) if name in _HEX_FIELDS else value
            for name, value in text["header"].items()
        },
        [
            Item(
                item["id"],
                status=item["status"],
                kind=ERROR_KINDS.get(item["kind"], ""),
                remaining_micros=item["remainingMicros"],
                request_id=item["requestId"] or None,
                trace=item["trace"] or None,
                error_text=item["errorText"] or None,
                parts=[
                    Part(part["name"], part["datatype"], part["shape"], bytes.fromhex(part["dataHex"]))
                    for part in item["parts"]
                ],
            )
            for item in text["items"]
        ],
        text["cancel"],
        text["mayIgnore"],
    )
