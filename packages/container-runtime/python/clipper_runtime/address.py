"""Addresses of frontends: `unix:/path`, `tcp:host:port`, `tls:host:port`, and connecting to them."""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    """Where a frontend listens. `host` is the path for a unix socket, whose `port` is 0."""

    scheme: str
    host: str
    port: int

    @property
    def needs_proof(self) -> bool:
        """On a unix socket the file system's permissions stand in for the shared secret."""
        return self.scheme != "unix"

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix:{self.host}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}:{host}:{self.port}"


def parse_address(text: str) -> Address:
    """Raises ValueError with the text and what is wrong with it. An IPv6 host stands in brackets."""
    scheme, colon, rest = text.partition(":")
    if not colon or scheme not in ("unix", "tcp", "tls") or not rest:
        raise ValueError(f"{text!r} is none of unix:/path, tcp:host:port, tls:host:port")
    if scheme == "unix":
        return Address(scheme, rest, 0)
    host, _, port = rest.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65_535:
        raise ValueError(f"{text!r} has no host and port")
    return Address(scheme, host, int(port))


def connect(address: Address, timeout_seconds: float, secrets: str | None) -> socket.socket:
    """A connected socket with that timeout still set. Names are resolved anew. Raises OSError.

    For tls the frontend's certificate is checked against `ca.pem` in the secrets directory, else the system's
    authorities.
    """
    if address.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout_seconds)
            connection.connect(address.host)
        except BaseException:
            connection.close()
            raise
        return connection
    connection = socket.create_connection((address.host, address.port), timeout_seconds)
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if address.scheme == "tls":
            authorities = os.path.join(secrets, "ca.pem") if secrets else ""
            context = ssl.create_default_context(cafile=authorities if os.path.exists(authorities) else None)
            return context.wrap_socket(connection, server_hostname=address.host)
    except BaseException:
        connection.close()
        raise
    return connection
