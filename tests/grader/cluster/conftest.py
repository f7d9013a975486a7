"""A cluster as one would start it by hand: a scheduler, and workers with a node each."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from distributed import Client

from bench.class_of_1000 import servers_among
from grader.cluster.orders import Nodes

DASK = Path(sys.executable).with_name("dask")
PATIENCE_S = 120.0


def home_of_a_node() -> Path:
    """The kit's folder, as a worker finds it in its environment."""
    return Path(os.environ["KIT_TEST_NODE_HOME"])


class Cluster:
    """The processes, which a test may kill.

    Args:
        folder: which root's servers may enter.
        allowed_failures: how often a task's worker may end before Dask gives the task up.
    """

    def __init__(self, folder: Path, allowed_failures: int) -> None:
        self._file = folder / "scheduler.json"
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.temporary.chmod(0o1777)
        home = folder / "home"
        home.mkdir(mode=0o711)
        root = str(Path(__file__).parents[3])
        self._environment = os.environ | {
            "KIT_TEST_NODE_HOME": str(home),
            "TMPDIR": str(self.temporary),
            "PYTHONPATH": root,
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(allowed_failures),
        }
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        until = time.monotonic() + PATIENCE_S
        # It is there before its content is.
        while not self._file.exists() or not self._file.read_text("utf-8").rstrip().endswith("}"):
            assert self.scheduler.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        address = json.loads(self._file.read_text(encoding="utf-8"))["address"]
        self.nodes = Nodes(address, home_of_a_node)

    def add_worker(self, *options: str) -> subprocess.Popen[bytes]:
        place = self.temporary.parent / f"worker{len(self.workers)}"
        words = ("--nthreads", "1", "--local-directory", str(place), *options)
        self.workers.append(self._start("worker", *words))
        return self.workers[-1]

    def wait_for_workers(self, number: int) -> None:
        """Until so many can be given work."""
        with Client(self.nodes.address, set_as_default=False) as client:
            client.wait_for_workers(number, timeout=PATIENCE_S)

    def _start(self, role: str, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [DASK, role, "--scheduler-file", str(self._file), "--no-dashboard", *words],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def servers(self) -> list[psutil.Process]:
        """The PostgreSQL servers that the workers have started."""
        return servers_among(self.family())

    def family(self) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for worker in self.workers:
            if worker.poll() is None:
                found += psutil.Process(worker.pid).children(recursive=True)
        return found

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """As a power cut does: the worker and whoever looks after it, at once."""
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                self.kill(process)


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A scheduler without workers. Its parameter is how often a task's worker may end; Dask's own
    3 where there is none.
    """
    folder = Path(tempfile.mkdtemp(prefix="kit-test-cluster-"))
    folder.chmod(0o711)
    cluster = Cluster(folder, getattr(request, "param", 3))
    try:
        yield cluster
    finally:
        cluster.close()
        shutil.rmtree(folder, ignore_errors=True)
