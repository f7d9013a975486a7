"""Errors that a cell shows in a few plain lines, without the stack of the libraries in between.

::

    KitError
    └── NotebookError     shown without a traceback
        ├── NotConnected  the learner's database cannot be reached
        └── SqlError      the server, or %%sql, refused what %%sql was given
"""

from __future__ import annotations

from kit.errors import KitError


class NotebookError(KitError):
    """Base of the errors that the extension raises."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class NotConnected(NotebookError):
    """The learner's server or database cannot be reached."""


class SqlError(NotebookError):
    """What ``%%sql`` was asked to do failed; ``__cause__`` is the error of the library.

    Attributes:
        sqlstate: the server's code for what happened; None where the server was not asked.
    """

    def __init__(self, message: str, *, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
