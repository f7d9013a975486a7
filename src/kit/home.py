"""Where the kit keeps what belongs to this user: servers, their data, crash reports.

``KIT_HOME`` names the folder. Without it, the folder is the platform's place for a user's data, and
for root ``/var/lib/kit``: PostgreSQL refuses to run as root, and the unprivileged user that it runs
as could not reach a folder inside ``/root``.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kit.errors import KitError

ROOT_HOME = Path("/var/lib/kit")


def is_root() -> bool:
    """Whether this process runs as the superuser of a Unix system."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def location(environment: Mapping[str, str] = os.environ) -> Path:
    """The kit's folder, absolute; it need not exist.

    Args:
        environment: where ``KIT_HOME`` is looked up.
    """
    named = environment.get("KIT_HOME", "")
    if named:
        return Path(named).expanduser().absolute()
    if is_root():
        return ROOT_HOME
    from platformdirs import user_data_path

    return user_data_path("kit", appauthor=False)


def prepare(folder: Path | None = None) -> Path:
    """The kit's folder, made if need be, and writable.

    Args:
        folder: another folder than `location` gives.

    Raises:
        KitError: the folder cannot be made or written to.
    """
    home = folder or location()
    try:
        # Root's servers run as another user, who must be able to pass.
        home.mkdir(mode=0o755 if is_root() else 0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        msg = (
            f"The kit cannot write to its own folder {home} ({error.strerror}). "
            "Make it writable, or set KIT_HOME to a folder that is."
        )
        raise KitError(msg) from error
    return home
