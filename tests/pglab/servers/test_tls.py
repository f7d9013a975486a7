"""Encrypted connections to a server by TCP, as its URL asks for them."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pglab.errors import ServerUnavailable
from pglab.servers.tls import dial

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl makes the certificate"
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for ``localhost`` that nobody but itself vouches for, and its key."""
    place = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", place / "key.pem", "-out", place / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    return place / "cert.pem", place / "key.pem"


class Greeter:
    """Speaks the beginning of PostgreSQL's protocol, then echoes what it gets."""

    def __init__(self, certificate: tuple[Path, Path] | None) -> None:
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.heard: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                with client:
                    self._greet(client)
            except (OSError, ssl.SSLError):
                if self._listener.fileno() < 0:
                    return

    def _greet(self, client: socket.socket) -> None:
        first = client.recv(8)
        if first == b"\x00\x00\x00\x08\x04\xd2\x16\x2f":
            client.sendall(b"S" if self._context else b"N")
            if self._context:
                client = self._context.wrap_socket(client, server_side=True)
            first = client.recv(8)
        self.heard.append(type(client).__name__.encode())
        client.sendall(first)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def encrypting(certificate: tuple[Path, Path]) -> Iterator[Greeter]:
    greeter = Greeter(certificate)
    yield greeter
    greeter.close()


@pytest.fixture
def plain() -> Iterator[Greeter]:
    greeter = Greeter(None)
    yield greeter
    greeter.close()


def echoed(greeter: Greeter, **parameters: str) -> bytes:
    with dial("localhost", greeter.port, parameters) as connection:
        connection.sendall(b"hello")
        assert connection.recv(5) == b"hello"
    return greeter.heard[-1]


@pytest.mark.parametrize("mode", [{}, {"sslmode": "prefer"}, {"sslmode": "require"}])
def test_it_is_encrypted_where_the_server_can(encrypting: Greeter, mode: dict[str, str]) -> None:
    assert echoed(encrypting, **mode) == b"SSLSocket"


@pytest.mark.parametrize("mode", ["disable", "allow"])
def test_it_is_plain_where_the_url_asks_for_that(encrypting: Greeter, mode: str) -> None:
    assert echoed(encrypting, sslmode=mode) == b"socket"


def test_it_is_plain_where_the_server_cannot(plain: Greeter) -> None:
    assert echoed(plain) == b"socket"


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_a_server_that_cannot_encrypt_is_refused_where_the_url_asks_for_it(
    plain: Greeter, mode: str
) -> None:
    with pytest.raises(ServerUnavailable, match=f"sslmode={mode}"):
        dial("localhost", plain.port, {"sslmode": mode})


@pytest.mark.parametrize("mode", ["verify-ca", "verify-full"])
def test_a_certificate_that_nobody_vouches_for_is_refused(encrypting: Greeter, mode: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        dial("localhost", encrypting.port, {"sslmode": mode})


def test_a_certificate_is_checked_against_the_given_root(
    encrypting: Greeter, certificate: tuple[Path, Path]
) -> None:
    root = str(certificate[0])
    assert echoed(encrypting, sslmode="verify-full", sslrootcert=root) == b"SSLSocket"
    with pytest.raises(ssl.SSLCertVerificationError):
        dial("127.0.0.1", encrypting.port, {"sslmode": "verify-full", "sslrootcert": root})
    with dial("127.0.0.1", encrypting.port, {"sslmode": "verify-ca", "sslrootcert": root}) as open_:
        assert isinstance(open_, ssl.SSLSocket)
