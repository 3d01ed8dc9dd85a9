"""The one error a malformed frame can raise."""

from __future__ import annotations


class ProtocolError(Exception):
    """A frame breaks `docs/architecture/wire.md`. The connection it came on is closed, and no other."""
