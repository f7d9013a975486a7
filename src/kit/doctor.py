"""What is right and wrong with this machine, and the cure for each."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kit import home, packages
from kit.errors import KitError

OLDEST_PYTHON = (3, 11)
DISK_BAD, DISK_WARN = 200, 1000
"""Free megabytes: below the first a server cannot work, below the second it soon cannot."""


class Status(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    INFO = "info"
    """Good to know; nothing is wrong."""
    WARN = "warn"
    """Something works less well, or not at all, that one may never need."""
    BAD = "bad"
    """The kit cannot do its work until this is cured."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    status: Status
    found: str
    """What was found, as a fact."""
    meaning: str = ""
    """What it means for the person; empty where there is nothing more to say."""
    cure: str = ""
    """What to do about it."""


def examine() -> Iterator[Finding]:
    """Look at this machine and yield the findings one by one, the quick ones first.

    Each finding stands alone: one that cannot be had is a finding too, never an exception.
    """
    for name, look in EXAMINATIONS.items():
        try:
            yield look()
        except Exception as error:
            yield Finding(
                name,
                Status.BAD,
                f"could not be looked at: {error}",
                "This was not foreseen.",
                "Run kit doctor with KIT_DEBUG=1 and report what it shows.",
            )


def look_at_python(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """The interpreter that runs the kit."""
    found = f"{platform.python_version()} at {sys.executable}"
    if version >= OLDEST_PYTHON:
        return Finding("python", Status.OK, found)
    return Finding(
        "python",
        Status.BAD,
        found,
        "The kit needs Python 3.11 or later.",
        "Install a newer Python (python.org, your system's packages, or uv), then the kit with it.",
    )


def look_at_packages(wrong: Mapping[str, list[str]] | None = None) -> Finding:
    """The packages that the kit needs, and those of its optional parts."""
    wrong = packages.shortcomings() if wrong is None else wrong
    found = "; ".join(problem for problems in wrong.values() for problem in problems)
    if not found:
        return Finding("packages", Status.OK, "all there, in versions that fit")
    if "" in wrong:
        return Finding(
            "packages",
            Status.BAD,
            found,
            "The kit was installed incompletely, or something was changed since.",
            "Install it again: pip install -e . in the project's folder.",
        )
    return Finding(
        "packages",
        Status.WARN,
        found,
        f"These belong to optional parts: {', '.join(wrong)}.",
        f"If you need them: {' and '.join(f'make {extra}' for extra in wrong)}.",
    )


def look_at_home() -> Finding:
    """The folder in which the kit keeps its servers and their data."""
    try:
        return Finding("home", Status.OK, f"{home.prepare()} is writable")
    except KitError as error:
        return Finding(
            "home",
            Status.BAD,
            str(error),
            "The learner's database lives there.",
            "Make the folder writable, or set KIT_HOME to one that is.",
        )


def look_at_disk(folder: Path | None = None) -> Finding:
    """Free space where the databases lie."""
    place = folder or home.location()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free // 1_000_000
    found = f"{free / 1000:.1f} GB free at {place}"
    if free >= DISK_WARN:
        return Finding("disk", Status.OK, found)
    return Finding(
        "disk",
        Status.BAD if free < DISK_BAD else Status.WARN,
        found,
        "A PostgreSQL server needs about 100 MB to start, and stops when the disk is full.",
        "Delete what you no longer need, or set KIT_HOME to a folder on a larger disk.",
    )


def look_at_locale(environment: Mapping[str, str] = os.environ) -> Finding:
    """Whether text outside ASCII is shown as it is."""
    encoding = sys.stdout.encoding if sys.stdout else "none"
    named = next((environment[n] for n in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(n)), "")
    found = f"{named or 'no locale set'}, output in {encoding}"
    if encoding.lower().replace("-", "") == "utf8":
        return Finding("locale", Status.OK, found)
    return Finding(
        "locale",
        Status.WARN,
        found,
        "Names with accents and the lines of tables are shown in a plain form.",
        "Set LANG=C.UTF-8 (on Windows: PYTHONUTF8=1) before you start the kit.",
    )


def look_at_proxy(environment: Mapping[str, str] = os.environ) -> Finding:
    """Whether a proxy stands between the browser or the kernel and this machine itself."""
    lower = {name.lower(): value for name, value in environment.items()}
    proxies = [name for name in ("http_proxy", "https_proxy", "all_proxy") if lower.get(name)]
    exempt = lower.get("no_proxy", "")
    if not proxies or exempt == "*" or ("localhost" in exempt and "127.0.0.1" in exempt):
        return Finding("proxy", Status.OK, "none in the way" if proxies else "none")
    return Finding(
        "proxy",
        Status.WARN,
        f"{', '.join(proxies)} set; no_proxy does not name this machine",
        "JupyterLab in your browser may not reach its own kernel.",
        "Set no_proxy=localhost,127.0.0.1 as well.",
    )


def look_at_embedded() -> Finding:
    """Whether the embedded PostgreSQL starts here: it is started, asked, and stopped."""
    from pglab.errors import PglabError
    from pglab.servers import open_server

    began = time.monotonic()
    try:
        with open_server("embedded", home=home.prepare(), disposable=True) as s:
            found = f"PostgreSQL {s.version} started in {time.monotonic() - began:.1f} s"
    except (PglabError, KitError) as error:
        return Finding(
            "embedded",
            Status.BAD,
            str(error),
            "Without it, learners need a container engine or a PostgreSQL server of their own.",
            "Cure what the message names, or use --database with a server that you have.",
        )
    return Finding("embedded", Status.OK, found)


def look_at_container_engine() -> Finding:
    """Whether a container engine answers; one that hangs is not waited for."""
    from pglab.errors import ContainerEngineError
    from pglab.servers.engine import open_engine

    try:
        with contextlib.closing(open_engine()) as client:
            found = f"version {client.version().get('Version', 'unknown')} answers"
    except ContainerEngineError as error:
        return Finding(
            "containers",
            Status.INFO,
            f"{str(error).partition('. ')[0]}; none is needed",
            "The embedded PostgreSQL does all that the course asks for. If you want servers in "
            "containers all the same, start Docker or Podman.",
        )
    return Finding("containers", Status.OK, found)


def look_at_sandbox() -> Finding:
    """Whether submissions can be shut in, which is what grading others' work needs: it is tried."""
    from grader.errors import SandboxError
    from grader.sandbox import open_sandbox

    with tempfile.TemporaryDirectory(prefix="kit-doctor-") as folder:
        Path(folder).chmod(0o755)
        try:
            with open_sandbox("auto", socket_dir=Path(folder), own_work=False) as sandbox:
                found = _SANDBOXES[sandbox.name]
        except SandboxError as error:
            return Finding(
                "sandbox",
                Status.WARN,
                str(error).partition(" Install bubblewrap")[0],
                "Grading other people's work needs a sandbox. Checking your own does not.",
                sandbox_cure(),
            )
    return Finding("sandbox", Status.OK, found)


_SANDBOXES = {
    "bubblewrap": "bubblewrap works, with user namespaces",
    "container": "containers work; bubblewrap, which is faster, does not",
}


def sandbox_cure(platform: str = sys.platform, bwrap: str | None = shutil.which("bwrap")) -> str:
    """What to do where bubblewrap does not work."""
    if not platform.startswith("linux"):
        return "Bubblewrap is for Linux: grade there (a virtual machine, WSL or CI will do)."
    if bwrap is None:
        return "Install it: apt install bubblewrap, or dnf install bubblewrap."
    return (
        "As administrator: sysctl kernel.unprivileged_userns_clone=1, and on Ubuntu 24.04 or later "
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0. In a container: grade outside it."
    )


def look_at_servers() -> Finding:
    """The learner's own server, and what killed commands left behind, which is cleared away."""
    from kit.standby import client
    from pglab.servers import status
    from pglab.servers.disposable import sweep_disposable

    swept = sweep_disposable()
    own = status(home.location()) if home.location().is_dir() else None
    found = "your own is up" if own and own.running else "your own is down"
    if checker := client.status(home.location()):
        found += f"; a checker stays ready for kit check (process {checker['pid']})"
    if not swept:
        return Finding("servers", Status.OK, f"{found}, none was left behind")
    return Finding(
        "servers",
        Status.WARN,
        f"{found}; {len(swept)} that killed commands left behind were stopped just now",
        "They cost memory and disk, and do no harm.",
        "Nothing to do. End commands with Ctrl-C, not with kill -9.",
    )


EXAMINATIONS: Mapping[str, Callable[[], Finding]] = {
    "python": look_at_python,
    "packages": look_at_packages,
    "locale": look_at_locale,
    "proxy": look_at_proxy,
    "home": look_at_home,
    "disk": look_at_disk,
    "servers": look_at_servers,
    "sandbox": look_at_sandbox,
    "containers": look_at_container_engine,
    "embedded": look_at_embedded,
}
"""What is looked at, in this order."""
