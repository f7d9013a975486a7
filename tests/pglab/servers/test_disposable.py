"""The throw-away server lives exactly as long as its owner."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from pglab.errors import ServerStartError
from pglab.servers import Server, open_server
from pglab.servers.account import Account, server_account
from pglab.servers.disposable import DisposableServer, sweep_disposable
from pglab.servers.settings import DISPOSABLE, DISPOSABLE_FROM_18, KERNEL_COPIES_FROM_18
from pglab.urls import parameters_of

OWNER = """
import os, sys, time
from pathlib import Path
from pglab.servers import open_server
server = open_server("embedded", home=Path(sys.argv[1]), disposable=True)
print(server._directory, server.admin_url, flush=True)
{then}
"""


class Owner:
    """Another process with a throw-away server of its own."""

    def __init__(self, home: Path, then: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWNER.format(then=then), str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        directory, self.url = self.line().split()
        self.directory = Path(directory)
        self.postmaster = postmaster_of(self.directory)
        self.watchman = self.postmaster.parent()

    def line(self) -> str:
        """The next line that it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def postmaster_of(directory: Path) -> psutil.Process:
    """The first process of the server that works in a directory."""
    pid_file = (directory / "data" / "postmaster.pid").read_text()
    return psutil.Process(int(pid_file.split("\n")[0]))


def processes_of(directory: Path) -> list[psutil.Process]:
    """The live server processes that work in a server's directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(directory / "data") and process.status() != "zombie":
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill_processes_of(directory: Path) -> None:
    """Kill every server process that works in a server's directory."""
    for process in processes_of(directory):
        with contextlib.suppress(psutil.NoSuchProcess):  # a child ends when the postmaster is gone
            process.kill()


def wait_until(condition: Callable[[], bool], patience_s: float = 30) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


@pytest.fixture
def owner(home: Path) -> Iterator[Callable[[str], Owner]]:
    owners: list[Owner] = []

    def start(then: str = "time.sleep(600)") -> Owner:
        owners.append(Owner(home, then))
        return owners[-1]

    yield start
    for each in owners:
        each.kill()
        kill_processes_of(each.directory)
        shutil.rmtree(each.directory, ignore_errors=True)


def test_each_version_answers_as_administrator_in_utf8(each_server: Server) -> None:
    with psycopg.connect(each_server.admin_url) as connection:
        row = connection.execute(
            "SELECT current_user, current_database(), current_setting('server_encoding'),"
            " current_setting('TimeZone'), datcollate, upper('é')"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row == ("postgres", "postgres", "UTF8", "UTC", "C.UTF-8", "É")
    assert each_server.kind == "embedded"
    assert not each_server.durable


def test_the_version_is_the_one_that_was_asked_for(server: Server, server16: Server) -> None:
    assert server.version.startswith("18.")
    assert server16.version.startswith("16.")
    assert server.capabilities().version_num // 10_000 == 18


def test_capabilities_are_what_the_server_says(server: Server) -> None:
    found = server.capabilities()
    assert (found.superuser, found.create_database, found.log_access) == (True, True, True)
    assert {"plpgsql", "vector"} <= found.extensions


def test_the_server_does_not_wait_for_the_disk(server: Server) -> None:
    with psycopg.connect(server.admin_url) as connection:
        # The folders for temporary files are such that the kernel copies there.
        more = KERNEL_COPIES_FROM_18 if sys.platform == "linux" else {}
        for name, value in (DISPOSABLE | DISPOSABLE_FROM_18 | more).items():
            row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
            assert row == (value,)


def test_where_the_kernel_does_not_copy_the_server_does(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: int) -> int:
        raise OSError(errno.ENOSYS, "not implemented here")

    monkeypatch.setattr(os, "copy_file_range", refused, raising=False)
    with DisposableServer(home) as server, psycopg.connect(server.admin_url) as connection:
        assert connection.execute("SHOW file_copy_method").fetchone() == ("copy",)
        assert not list(server.socket_dir.parent.rglob("copied"))


def test_there_is_no_way_in_but_the_socket_with_the_password(server: Server) -> None:
    with psycopg.connect(server.admin_url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        methods = connection.execute(
            "SELECT DISTINCT auth_method FROM pg_hba_file_rules"
        ).fetchall()
        assert methods == [("scram-sha-256",)]
    for password in (None, "wrong"):
        url = server.url("postgres", "postgres", password)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(url)


def test_the_socket_is_where_the_server_says(server: Server) -> None:
    assert (server.socket_dir / f".s.PGSQL.{server.port}").is_socket()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has other accounts to run it as")
def test_started_by_root_the_server_runs_as_somebody_else(owner: Callable[..., Owner]) -> None:
    postmaster = owner().postmaster
    assert postmaster.uids().real == server_account().uid != 0
    assert postmaster.gids().real == server_account().gid != 0
    groups = Path(f"/proc/{postmaster.pid}/status").read_text().split("Groups:")[1].split("\n")[0]
    assert groups.strip() == ""


def test_the_servers_environment_is_not_ours(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "SECRET_OF_OURS": "x"}.items():
        monkeypatch.setenv(name, value)
    with DisposableServer(home) as server:
        postmaster = postmaster_of(server.socket_dir.parent)
        assert "SECRET_OF_OURS" not in postmaster.environ()
        assert not [name for name in postmaster.environ() if name.startswith("PG")]


def test_two_servers_know_nothing_of_each_other(home: Path, server: Server) -> None:
    with DisposableServer(home) as other:
        assert other.socket_dir != server.socket_dir
        first, second = (s.admin_url.split("@")[0] for s in (server, other))
        assert first != second
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(first + "@" + other.admin_url.split("@")[1])


def test_stopping_leaves_no_process_and_no_file(home: Path) -> None:
    server = DisposableServer(home).start()
    directory = server.socket_dir.parent
    assert server.start() is server
    busy = psycopg.connect(server.admin_url)
    busy.execute("SELECT 1")
    server.stop()
    server.stop()
    busy.close()
    assert not directory.exists()
    assert processes_of(directory) == []


def test_an_owner_that_just_ends_leaves_nothing(owner: Callable[..., Owner]) -> None:
    gone = owner("sys.stdin.read()")
    assert gone.postmaster.is_running()
    assert gone.process.stdin is not None
    gone.process.stdin.close()
    assert gone.process.wait() == 0
    assert not gone.directory.exists()
    assert processes_of(gone.directory) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_owner_that_is_killed_leaves_nothing(
    owner: Callable[..., Owner], number: signal.Signals
) -> None:
    killed = owner()
    with psycopg.connect(killed.url) as connection:
        killed.process.send_signal(number)
        killed.process.wait()
        wait_until(lambda: not killed.directory.exists())
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert processes_of(killed.directory) == []


def test_a_child_that_outlives_its_parent_does_not_keep_the_server(
    owner: Callable[..., Owner],
) -> None:
    killed = owner(
        "child = os.fork()\n"
        "if child == 0: time.sleep(600)\n"
        "print(child, flush=True)\n"
        "time.sleep(600)"
    )
    child = psutil.Process(int(killed.line()))
    killed.kill()
    wait_until(lambda: not killed.directory.exists())
    assert child.is_running()
    child.kill()


def test_a_child_that_ends_does_not_stop_its_parents_server(owner: Callable[..., Owner]) -> None:
    parent = owner(
        "child = os.fork()\n"
        "if child == 0: server.stop(); sys.exit(0)\n"
        "print(os.waitpid(child, 0)[1], flush=True)\n"
        "time.sleep(600)"
    )
    assert parent.line() == "0\n"
    with psycopg.connect(parent.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_where_the_watchman_was_killed_too_the_next_command_clears_up(
    owner: Callable[..., Owner], home: Path
) -> None:
    killed = owner()
    killed.watchman.kill()
    killed.kill()
    assert killed.postmaster.is_running()
    with DisposableServer(home):
        assert not killed.directory.exists()
    assert processes_of(killed.directory) == []


def test_a_sweep_spares_the_server_of_a_living_owner(owner: Callable[..., Owner]) -> None:
    living = owner()
    living.watchman.suspend()
    try:
        assert living.directory not in sweep_disposable()
        with psycopg.connect(living.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        living.watchman.resume()


def test_a_sweep_kills_no_stranger_that_got_the_number_of_a_dead_server(
    owner: Callable[..., Owner],
) -> None:
    dead = owner()
    dead.watchman.kill()
    dead.kill()
    pid_file = dead.directory / "data" / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    dead.postmaster.send_signal(signal.SIGQUIT)
    wait_until(lambda: not processes_of(dead.directory))
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
        assert dead.directory in sweep_disposable()
        assert stranger.poll() is None
        stranger.kill()


def test_a_sweep_leaves_what_is_not_ours_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("pglab.servers.places._MEMORY", tmp_path / "none")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").touch()
    (tmp_path / "kit-pg-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "kit-pg-file").touch()
    (tmp_path / "kit-new-1").mkdir()
    old = tmp_path / "kit-new-2"
    old.mkdir()
    os.utime(old, (0, 0))
    dead = tmp_path / "kit-pg-dead"
    dead.mkdir()
    assert sweep_disposable(Account()) == [dead]
    assert {path.name for path in tmp_path.iterdir()} == {
        *("elsewhere", "kit-pg-link", "kit-pg-file", "kit-new-1")
    }
    assert (tmp_path / "elsewhere" / "precious").exists()


def test_a_server_that_crashes_is_cleared_away_by_its_owner(home: Path) -> None:
    server = DisposableServer(home).start()
    directory = server.socket_dir.parent
    kill_processes_of(directory)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.admin_url)
    server.stop()
    assert not directory.exists()


def test_the_oldest_logs_are_removed_before_they_fill_the_disk(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pglab.servers.disposable._LOGS_KEPT", 2)
    with DisposableServer(home) as server:
        logs = server.socket_dir.parent / "data" / "log"
        (newest,) = logs.glob("*.json")
        for number in range(5):
            (logs / f"postgresql-20000101-00000{number}.json").touch()
        wait_until(lambda: len(list(logs.glob("*.json"))) == 2)
        assert sorted(path.name for path in logs.glob("*.json")) == [
            "postgresql-20000101-000004.json",
            newest.name,
        ]


def test_the_data_is_in_memory_where_there_is_room_and_nobody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from pglab.servers import places

    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(places, "_has_room", lambda memory: True)
    monkeypatch.setattr(places, "_MEMORY", tmp_path)
    assert places.scratch_place(Account()) == tmp_path
    monkeypatch.setenv("TMPDIR", "/tmp")
    assert places.scratch_place(Account()) == places.temporary_place(Account())
    monkeypatch.delenv("TMPDIR")
    monkeypatch.setattr(places, "_has_room", lambda memory: False)
    assert places.scratch_place(Account()) == places.temporary_place(Account())


def test_a_directory_on_a_disk_does_not_count_as_memory(tmp_path: Path) -> None:
    from pglab.servers.places import _has_room

    assert not _has_room(tmp_path)


def test_where_the_temporary_directory_is_deep_the_socket_is_elsewhere_and_goes_too(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = home / ("deep" * 25)
    deep.mkdir(mode=0o711)
    monkeypatch.setattr("pglab.servers.places._MEMORY", home / "none")
    monkeypatch.setenv("TMPDIR", str(deep))
    monkeypatch.setattr("tempfile.tempdir", None)
    killed = Owner(home, "time.sleep(600)")
    (directory,) = deep.glob("kit-pg-*")
    sockets = Path(parameters_of(killed.url)["host"])
    assert not sockets.is_relative_to(deep)
    killed.watchman.kill()
    killed.kill()
    assert sweep_disposable() == [directory]
    assert not directory.exists()
    assert not sockets.exists()
    assert processes_of(directory) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_full_disk_is_named_with_what_to_do(
    small_disk: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(small_disk))
    monkeypatch.setattr("tempfile.tempdir", None)
    with pytest.raises(ServerStartError, match=r"disk of .* is full.*TMPDIR"):
        DisposableServer(home).start()
    assert list(small_disk.glob("kit-*")) == []


def test_a_home_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with open_server("embedded", home=blocked / "home", disposable=True) as server:
        assert server.version.startswith("18.")


def test_a_version_that_the_kit_does_not_bring_is_named(home: Path) -> None:
    with pytest.raises(ServerStartError, match=r"no embedded PostgreSQL 12.*16 and 18"):
        open_server("embedded", home=home, disposable=True, version=12)
