"""TCP connections to a server, encrypted as its URL's ``sslmode`` asks for."""

from __future__ import annotations

import socket
import ssl
import struct

from pglab.errors import ServerUnavailable

__all__ = ["dial"]

_TLS_REQUEST = struct.pack("!II", 8, 80877103)
_MUST_ENCRYPT = frozenset({"require", "verify-ca", "verify-full"})


def dial(
    host: str, port: int, parameters: dict[str, str], *, timeout_s: float = 10
) -> socket.socket:
    """A connection to a server, ready for its start-up message.

    Args:
        host, port: where the server listens.
        parameters: the URL's own (``sslmode``, ``sslrootcert``, ``sslcert``, ``sslkey``).
        timeout_s: seconds to wait for the connection; none after that.

    Source: PostgreSQL manual, "SSL Support" of libpq, and "SSL Session Encryption" of the protocol.

    Raises:
        ServerUnavailable: the server does not encrypt and the URL asks for it.
        OSError: no connection, or its certificate is not the expected one.
    """
    plain = socket.create_connection((host, port), timeout=timeout_s)
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        mode = parameters.get("sslmode", "prefer")
        connection = plain
        if mode not in {"disable", "allow"}:
            connection = _encrypted(plain, host, mode, parameters)
        connection.settimeout(None)
    except BaseException:
        plain.close()
        raise
    return connection


def _encrypted(
    plain: socket.socket, host: str, mode: str, parameters: dict[str, str]
) -> socket.socket:
    plain.sendall(_TLS_REQUEST)
    if plain.recv(1) == b"S":
        return _context(mode, parameters).wrap_socket(plain, server_hostname=host)
    if mode in _MUST_ENCRYPT:
        raise ServerUnavailable(
            f"The database URL asks for an encrypted connection (sslmode={mode}), and the server "
            "at that address offers none."
        )
    return plain


def _context(mode: str, parameters: dict[str, str]) -> ssl.SSLContext:
    root = parameters.get("sslrootcert")
    if root in {None, "", "system"}:
        root = None
    context = ssl.create_default_context(cafile=root)
    context.check_hostname = mode == "verify-full"
    if mode in {"prefer", "require"} and root is None:
        # As in libpq: these modes protect against listening, not against a false server.
        context.verify_mode = ssl.CERT_NONE
    if certificate := parameters.get("sslcert"):
        context.load_cert_chain(
            certificate, parameters.get("sslkey"), parameters.get("sslpassword")
        )
    return context
