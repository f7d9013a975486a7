"""SCRAM verifiers, made by the client so that no password reaches a statement or a log."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

__all__ = ["new_password", "scram_verifier"]


def new_password() -> str:
    """A password of 192 random bits, for a role that a program logs in as."""
    return secrets.token_urlsafe(24)


def scram_verifier(password: str, *, iterations: int = 1) -> str:
    """What PostgreSQL stores for a password, to be given to CREATE ROLE in its place.

    Args:
        password: random and ASCII, as :func:`new_password` makes it.
        iterations: rounds of PBKDF2. They slow down the guessing of a weak password; one made of
            192 random bits cannot be guessed, so one round is enough and each connection is
            about 2 ms cheaper.

    Source: RFC 5803, and the PostgreSQL manual, "pg_authid".
    """
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")

    def text(value: bytes) -> str:
        return base64.b64encode(value).decode("ascii")

    return f"SCRAM-SHA-256${iterations}:{text(salt)}${text(stored_key)}:{text(server_key)}"
