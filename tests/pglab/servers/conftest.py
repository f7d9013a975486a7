"""What the tests of servers share."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of 8 MB that every account can enter (for root only)."""
    import tempfile

    place = Path(tempfile.mkdtemp(prefix="kit-test-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,mode=0755", "kit", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)
    place.rmdir()
