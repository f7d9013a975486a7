"""What can go wrong in the laboratory.

::

    PglabError
    ├── ServerStartError         a server that we run would not start
    ├── ServerUnavailable        a server given by URL, or one that was running, does not answer
    ├── ContainerEngineError     the container engine is missing, hangs or refuses
    ├── CapabilityMissing        the server lacks a right or a feature that was asked for
    ├── ScratchError             a scratch database or role could not be made or dropped
    └── StatementsUnavailable    the server's log cannot be read as a witness
        ├── StatementsLost       … any more: a part of it was removed
        └── TooManyStatements    … at once: those that were asked for are too many
"""

from __future__ import annotations

__all__ = [
    "CapabilityMissing",
    "ContainerEngineError",
    "PglabError",
    "ScratchError",
    "ServerStartError",
    "ServerUnavailable",
    "StatementsLost",
    "StatementsUnavailable",
    "TooManyStatements",
]


class PglabError(Exception):
    """Base of all errors of this package; the message says what happened and what to do next."""


class ServerStartError(PglabError):
    """A server that the kit runs itself did not start."""


class ServerUnavailable(PglabError):
    """A server does not answer, or does not let us in."""


class ContainerEngineError(PglabError):
    """The container engine is missing, does not answer, or refused."""


class CapabilityMissing(PglabError):
    """The server lacks a right or a feature that the caller asked for."""


class ScratchError(PglabError):
    """A scratch database, template or role could not be made or dropped."""


class StatementsUnavailable(PglabError):
    """The server's log cannot be read as a witness of the statements sent."""


class StatementsLost(StatementsUnavailable):
    """A part of the log that was asked for is gone."""


class TooManyStatements(StatementsUnavailable):
    """The statements that were asked for are more than can be held."""
