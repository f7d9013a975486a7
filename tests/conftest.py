"""What tests need of the machine, and which of it a run may not do without.

A test marked `container`, `sandbox`, `browser` or `redis` is skipped, with the reason, where the
machine lacks that. `KIT_REQUIRE=container,sandbox` turns every skip of a test so marked into a
failure, so that a suite on a machine that was prepared for it cannot pass by doing nothing.
"""

import functools
import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes is the machine's affair, and two runs share it.
settings.register_profile("kit", deadline=None)
settings.load_profile("kit")


def _missing_container() -> str | None:
    import docker  # slow to import, and needed by few runs
    from docker.errors import DockerException, ImageNotFound

    image = os.environ.get("KIT_POSTGRES_IMAGE", "postgres:18")
    try:
        docker.from_env(timeout=10).images.get(image)
    except ImageNotFound:
        return (
            f"the container engine has no image {image}: pull it, or name one in KIT_POSTGRES_IMAGE"
        )
    except DockerException:
        return "no container engine answers"
    return None


def _missing_sandbox() -> str | None:
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    trial = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"]
    if subprocess.run(trial, capture_output=True, check=False).returncode != 0:
        return "bubblewrap is not allowed to make namespaces here"
    return None


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def _missing_browser() -> str | None:
    return None if _chromium() else "Chromium is not installed"


def _missing_redis() -> str | None:
    return None if shutil.which("redis-server") else "redis-server is not installed"


CAPABILITIES: dict[str, Callable[[], str | None]] = {
    "container": functools.cache(_missing_container),
    "sandbox": functools.cache(_missing_sandbox),
    "browser": functools.cache(_missing_browser),
    "redis": functools.cache(_missing_redis),
}


def _required() -> set[str]:
    return {name.strip() for name in os.environ.get("KIT_REQUIRE", "").split(",") if name.strip()}


def _demand(name: str) -> None:
    reason = CAPABILITIES[name]()
    if reason and name in _required():
        pytest.fail(f"{reason}, and KIT_REQUIRE names {name}", pytrace=False)
    if reason:
        pytest.skip(reason)


def pytest_collection_finish() -> None:
    """Thousands of collected tests live as long as the run: looking through them for garbage again
    and again takes a third of its processor time.
    """
    gc.freeze()
    gc.set_threshold(10_000, 10, 100)


def pytest_configure(config: pytest.Config) -> None:
    # A shell starts what it puts into the background deaf to Ctrl-C; what tests interrupt must hear
    # it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    unknown = _required() - CAPABILITIES.keys()
    if unknown:
        known = ", ".join(CAPABILITIES)
        raise pytest.UsageError(f"KIT_REQUIRE names {', '.join(sorted(unknown))}; known: {known}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in CAPABILITIES:
        if item.get_closest_marker(name):
            _demand(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    marked = {name for name in CAPABILITIES if item.get_closest_marker(name)}
    if report.skipped and not hasattr(report, "wasxfail") and marked & _required():
        report.outcome = "failed"
        report.longrepr = f"skipped where KIT_REQUIRE forbids it: {report.longrepr}"
    return report


@pytest.fixture
def require_capability() -> Callable[[str], None]:
    """Skips the test, or fails it (see KIT_REQUIRE), where the machine lacks what it names."""
    return _demand


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the machine's Chromium, for a test marked `browser`."""
    path = _chromium()
    assert path, "mark the test with pytest.mark.browser"
    return path


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's own folder."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def tracked_files(root: Path) -> list[Path]:
    """Every file that git tracks and that is there."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True
    )
    return [path for name in listing.stdout.split("\0") if name and (path := root / name).is_file()]


@pytest.fixture(scope="session")
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program in a fresh interpreter: run_python(source, *args, env={...})."""

    def run(
        source: str, *args: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", source, *args],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **(env or {})},
        )

    return run
