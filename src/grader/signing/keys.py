"""Keys: a private one to sign with, which stays with the instructor, and a public one to verify.

Both are files as other tools write them, too: PEM (``openssl genpkey -algorithm ed25519``) or
OpenSSH's own (``ssh-keygen -t ed25519``). The algorithm is Ed25519 (RFC 8032).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from grader.errors import SigningError

_LARGEST = 64 * 1024
_MAKE = "Make a pair with: kit results key FILE."


def make_keys(path: Path) -> Ed25519PublicKey:
    """A new pair: the private key goes to ``path``, which only this user may read, the public one
    beside it, with ``.pub`` at the end of its name.

    Raises:
        SigningError: one of the files is there already, or cannot be written. Then neither is.
    """
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    other = public_path(path)
    try:
        with open(other, "xb") as file:
            file.write(public)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as file:
                file.write(secret)
        except BaseException:
            other.unlink()
            raise
    except FileExistsError as error:
        raise SigningError(
            f"{error.filename} is there already. Nothing was changed: who loses a key can sign "
            "nothing with it any more. Name another file."
        ) from error
    except OSError as error:
        raise SigningError(f"{error.filename} cannot be written: {error.strerror}.") from error
    return key.public_key()


def public_path(path: Path) -> Path:
    """Where the public key stands that belongs to a private one."""
    return path.with_name(f"{path.name}.pub")


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """The key that a file holds.

    Raises:
        SigningError: it holds none to sign with, or cannot be read.
    """
    content = _content(path)
    if b"PUBLIC KEY" in content or content.startswith(b"ssh-"):
        raise SigningError(
            f"{path} is a public key, which can only verify. Signing takes the private one."
        )
    key = _loaded(path, content, _private)
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningError(f"{path} is a key of another kind than Ed25519. {_MAKE}")
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """The key that a file holds; of a private one, the public one that belongs to it.

    Raises:
        SigningError: it holds none, or cannot be read.
    """
    content = _content(path)
    if b"PRIVATE KEY" in content:
        return read_private_key(path).public_key()
    key = _loaded(path, content, _public)
    if not isinstance(key, Ed25519PublicKey):
        raise SigningError(f"{path} is a key of another kind than Ed25519. {_MAKE}")
    return key


def fingerprint(key: Ed25519PublicKey) -> str:
    """What a key is known by: the SHA-256 of its 32 bytes, 64 hexadecimal digits."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError as error:
        raise SigningError(f"There is no key {path}. {_MAKE}") from error
    except OSError as error:
        raise SigningError(f"The key {path} cannot be read: {error.strerror}.") from error
    if len(content) > _LARGEST:
        raise SigningError(f"{path} is no key: it is much too large. {_MAKE}")
    return content


def _private(content: bytes) -> Any:
    if b"OPENSSH" in content:
        return serialization.load_ssh_private_key(content, None)
    return serialization.load_pem_private_key(content, None)


def _public(content: bytes) -> Any:
    if content.startswith(b"ssh-"):
        return serialization.load_ssh_public_key(content)
    return serialization.load_pem_public_key(content)


def _loaded(path: Path, content: bytes, load: Callable[[bytes], Any]) -> Any:
    try:
        return load(content)
    except TypeError as error:  # so `cryptography` says that a passphrase is missing
        raise SigningError(
            f"{path} is protected by a passphrase, which nobody is asked for here. {_MAKE}"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        if b"ENCRYPTED" in content or "password" in str(error).lower():
            raise SigningError(
                f"{path} is protected by a passphrase, which nobody is asked for here. {_MAKE}"
            ) from error
        raise SigningError(f"{path} holds no key that can be read. {_MAKE}") from error
