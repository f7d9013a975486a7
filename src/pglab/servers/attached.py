"""A server that another process of the kit started and looks after."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from pglab.servers.server import Server

__all__ = ["AttachedServer", "Attachment"]


@dataclass(frozen=True)
class Attachment:
    """What another process needs to know to use a server; plain values only."""

    kind: str
    admin_url: str
    socket_dir: str
    port: int

    @classmethod
    def of(cls, server: Server) -> Attachment:
        """What is needed to use a server from another process."""
        return cls(server.kind, server.admin_url, str(server.socket_dir), server.port)

    def to_plain(self) -> dict[str, Any]:
        """The same as a dictionary of text and numbers."""
        return asdict(self)


class AttachedServer(Server):
    """Uses a running server without owning it: starting and stopping are its owner's affair."""

    durable = True

    def __init__(self, attachment: Attachment) -> None:
        self.kind = attachment.kind
        self._attachment = attachment

    @property
    def admin_url(self) -> str:
        """libpq URI of the admin role on the maintenance database."""
        return self._attachment.admin_url

    @property
    def socket_dir(self) -> Path:
        """Directory of the server's Unix socket."""
        return Path(self._attachment.socket_dir)

    @property
    def port(self) -> int:
        """The port number in the socket's name."""
        return self._attachment.port

    def start(self) -> Self:
        """Nothing: it runs."""
        return self

    def stop(self) -> None:
        """Nothing: the server is not ours."""
