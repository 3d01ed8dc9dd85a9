"""The environment variables of a replica, read once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from clipper_runtime.address import Address, parse_address
from clipper_runtime.failure import Failure
from clipper_runtime.items import MAX_ITEMS

DEFAULT_HANG_LIMIT_MS = 30_000


@dataclass(frozen=True)
class ReplicaSettings:
    """`lifeline`: a descriptor whose end asks to drain. `hang_limit_ms`: how long one batch may run.

    `max_batch`: most items of one batch, 0 for any.
    """

    bundle: str
    frontends: tuple[Address, ...]
    instance: str
    secrets: str | None
    lifeline: int | None
    hang_limit_ms: int
    max_batch: int


def read_settings(environ: Mapping[str, str]) -> ReplicaSettings:
    """Raises Failure BUNDLE_INVALID or RPC_REJECTED that names the variable, its value and what is due."""
    bundle = environ.get("CLIPPER_BUNDLE", "")
    if not bundle:
        raise Failure("BUNDLE_INVALID", "CLIPPER_BUNDLE is not set: it is the directory of the model bundle")
    texts = [text.strip() for text in environ.get("CLIPPER_FRONTENDS", "").split(",") if text.strip()]
    if not texts:
        raise Failure(
            "RPC_REJECTED", "CLIPPER_FRONTENDS is not set: it is the addresses of the query frontends"
        )
    try:
        frontends = tuple(dict.fromkeys(parse_address(text) for text in texts))
    except ValueError as error:
        raise Failure("RPC_REJECTED", f"CLIPPER_FRONTENDS is of no use: {error}") from error
    instance = environ.get("CLIPPER_INSTANCE", "")
    if not 1 <= len(instance.encode()) <= 128:
        raise Failure(
            "RPC_REJECTED", f"CLIPPER_INSTANCE is {instance!r}: the replica's id, 1 … 128 bytes, is due"
        )
    return ReplicaSettings(
        bundle=bundle,
        frontends=frontends,
        instance=instance,
        secrets=environ.get("CLIPPER_SECRETS") or None,
        lifeline=_lifeline(environ),
        hang_limit_ms=_number(environ, "CLIPPER_HANG_LIMIT_MS", DEFAULT_HANG_LIMIT_MS),
        max_batch=_max_batch(environ),
    )


def _max_batch(environ: Mapping[str, str]) -> int:
    most = _number(environ, "CLIPPER_MAX_BATCH", 0)
    if most > MAX_ITEMS:
        raise Failure("RPC_REJECTED", f"CLIPPER_MAX_BATCH is {most}, and at most {MAX_ITEMS} is due")
    return most


def _lifeline(environ: Mapping[str, str]) -> int | None:
    if not environ.get("CLIPPER_LIFELINE"):
        return None
    descriptor = _number(environ, "CLIPPER_LIFELINE", -1)
    try:
        os.fstat(descriptor)
    except OSError as error:
        raise Failure(
            "RPC_REJECTED", f"CLIPPER_LIFELINE is {descriptor}, which is no open descriptor"
        ) from error
    return descriptor


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise Failure("RPC_REJECTED", f"{name} is {text!r}, and a number is due")
    return int(text)
