"""Errors of the kit itself: what people read when a command cannot do its work.

::

    KitError            the kit or the machine is at fault          exit code 3
    ├── WrongUsage      what was asked for cannot be done as asked  exit code 2
    └── Declined        the person said no                          exit code 1
"""

from __future__ import annotations

from typing import ClassVar


class KitError(Exception):
    """Base of the errors that `kit` raises; the message says what happened and what to do next."""

    exit_code: ClassVar[int] = 3


class WrongUsage(KitError):
    """A path, a name or an option that cannot be used; nothing was started or changed."""

    exit_code: ClassVar[int] = 2


class Declined(KitError):
    """A question was answered with no; nothing was changed."""

    exit_code: ClassVar[int] = 1
