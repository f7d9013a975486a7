"""The learner's own server: kept, shared, and clear about what is wrong."""

from __future__ import annotations

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
import psycopg
import pytest

from pglab.errors import ServerStartError
from pglab.servers import open_server, status
from pglab.servers.account import server_account
from pglab.servers.disposable import sweep_disposable
from pglab.servers.durable import DurableServer
from pglab.servers.places import scratch_place
from pglab.servers.settings import DURABLE

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="it takes root to arrange this")


def _new_home() -> Path:
    """A directory that the server's account can enter; in memory where there is room."""
    account = server_account()
    place = Path(tempfile.mkdtemp(prefix="kit-test-own-", dir=scratch_place(account)))
    place.chmod(0o711)
    return place


@pytest.fixture(scope="module")
def seed() -> Iterator[Path]:
    """A home whose server was made and stopped; made once, because making takes a while."""
    place = _new_home()
    server = DurableServer(place)
    server.start().stop()
    yield place
    shutil.rmtree(place)


@pytest.fixture
def own(seed: Path) -> Iterator[Path]:
    """A home of the test's own with a server that was made and stopped."""
    place = _new_home()
    subprocess.run(["cp", "-a", f"{seed}/.", place], check=True)
    yield place
    DurableServer(place).stop()
    shutil.rmtree(place)


def data_of(home: Path) -> Path:
    return home / "postgres" / "data-18"


def test_what_was_stored_is_there_after_the_server_was_stopped(own: Path) -> None:
    server = open_server("embedded", home=own, disposable=False)
    assert server.durable
    with psycopg.connect(server.admin_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    server.stop()
    server.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.admin_url)
    again = open_server("embedded", home=own, disposable=False)
    with psycopg.connect(again.admin_url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
    assert again.admin_url == server.admin_url
    again.stop()


def test_leaving_does_not_stop_it_and_the_next_process_finds_it(own: Path) -> None:
    source = (
        "import sys; from pathlib import Path; from pglab.servers import open_server\n"
        "with open_server('embedded', home=Path(sys.argv[1]), disposable=False) as s:\n"
        "    print(s.admin_url)"
    )
    command = [sys.executable, "-c", source, str(own)]
    urls = [subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()]
    before = status(own)
    urls.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    assert urls[0] == urls[1] == before.url
    assert status(own).pid == before.pid
    with psycopg.connect(urls[0]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_processes_that_ask_at_once_get_the_same_server(own: Path) -> None:
    source = (
        "import sys; from pathlib import Path; from pglab.servers import open_server, status\n"
        "home = Path(sys.argv[1])\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(open_server('embedded', home=home, disposable=False).admin_url, status(home).pid)"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", source, str(own)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    answers = {racer.communicate()[0].strip() for racer in racers}
    assert len(answers) == 1
    assert answers.pop().endswith(f" {status(own).pid}")


def test_its_settings_keep_what_is_stored(own: Path) -> None:
    server = DurableServer(own).start()
    with psycopg.connect(server.admin_url) as connection:
        for name, value in DURABLE.items():
            row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
            assert row == (value,)
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        assert connection.execute("SHOW autovacuum").fetchone() == ("on",)


def test_the_status_tells_what_is_there_and_starts_nothing(own: Path, tmp_path: Path) -> None:
    stopped = status(own)
    assert (stopped.running, stopped.pid, stopped.url) == (False, None, None)
    assert stopped.version == "18"
    assert stopped.data_dir == data_of(own)
    assert stopped.size_bytes > 20_000_000
    server = DurableServer(own).start()
    running = status(own)
    assert running.running
    assert running.version == server.version
    assert running.url == server.admin_url
    assert running.pid is not None
    assert psutil.Process(running.pid).cwd() == str(data_of(own))
    server.stop()
    assert not status(own).running


def test_a_home_without_a_server_has_a_status(tmp_path: Path) -> None:
    none = status(tmp_path / "nothing")
    assert (none.running, none.version, none.size_bytes) == (False, None, 0)


def test_the_password_is_its_owners_alone(own: Path) -> None:
    (password,) = (own / "postgres").glob("password-*")
    assert password.stat().st_mode & 0o777 == 0o600
    assert password.stat().st_uid == os.geteuid()
    assert not list((own / "postgres").rglob("*.initdb"))


@root_only
def test_started_by_root_it_runs_as_somebody_else(own: Path) -> None:
    DurableServer(own).start()
    pid = status(own).pid
    assert psutil.Process(pid).uids().real == server_account().uid != 0


def test_it_survives_a_ctrl_c_in_the_terminal_that_started_it(own: Path) -> None:
    DurableServer(own).start()
    pid = status(own).pid
    assert pid is not None
    assert os.getsid(pid) == pid


def test_a_pid_file_of_a_killed_server_does_not_matter(own: Path) -> None:
    server = DurableServer(own).start()
    pid = status(own).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert (data_of(own) / "postmaster.pid").exists()
    server.start()
    assert status(own).pid not in {None, pid}
    with psycopg.connect(server.admin_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_pid_file_whose_number_belongs_to_a_stranger_does_not_matter(own: Path) -> None:
    with _stranger() as stranger:
        DurableServer(own).start().stop()
        pid_file = data_of(own) / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{data_of(own)}\n1\n5432\n\n\n\nready\n")
        assert not status(own).running
        server = DurableServer(own).start()
        assert status(own).pid != stranger.pid
        server.stop()
        assert stranger.poll() is None
        stranger.kill()


def _stranger() -> subprocess.Popen[bytes]:
    """A process of the server's account: PostgreSQL itself would take it for a server."""
    return subprocess.Popen(["sleep", "600"], **server_account().popen_arguments())


def _title(process: psutil.Process) -> str:
    """What a process is called; nothing where it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_what_is_left_of_a_killed_server_is_waited_for(own: Path) -> None:
    server = DurableServer(own).start()
    pid = status(own).pid
    assert pid is not None
    left = [child for child in psutil.Process(pid).children() if "checkpointer" in _title(child)]
    left[0].suspend()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ServerStartError, match=rf"left processes behind.*kill .*{left[0].pid}"):
        _with_patience(server, 0.5)
    left[0].resume()
    server.start()
    assert status(own).running


def _with_patience(server: DurableServer, seconds: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pglab.servers.durable._SURVIVORS_S", seconds)
        server.start()


def test_data_of_another_version_is_refused_and_kept(own: Path) -> None:
    (data_of(own) / "PG_VERSION").write_text("16\n")
    with pytest.raises(ServerStartError, match=r"PostgreSQL 16.*PostgreSQL 18.*cannot read it"):
        DurableServer(own).start()
    assert (data_of(own) / "base").is_dir()
    assert status(own).version == "16"


def test_a_directory_that_is_not_a_servers_is_refused_and_kept(own: Path) -> None:
    (data_of(own) / "PG_VERSION").unlink()
    with pytest.raises(ServerStartError, match="not a complete PostgreSQL data directory"):
        DurableServer(own).start()
    assert (data_of(own) / "base").is_dir()


@pytest.mark.parametrize("damage", ["control file missing", "control file empty", "no hba"])
def test_damaged_data_is_named_with_what_to_do(own: Path, damage: str) -> None:
    control = data_of(own) / "global" / "pg_control"
    if damage == "control file missing":
        control.unlink()
    elif damage == "control file empty":
        control.write_bytes(b"")
    else:
        (data_of(own) / "pg_hba.conf").unlink()
    with pytest.raises(ServerStartError, match=r"did not start\. It said: .*backup") as caught:
        DurableServer(own).start()
    assert ("pg_hba.conf" if damage == "no hba" else "pg_control") in str(caught.value)
    assert not status(own).running


def test_why_an_earlier_session_ended_is_not_why_it_does_not_start(own: Path) -> None:
    server = DurableServer(own)
    server.start()
    with psycopg.connect(server.admin_url):
        server.stop()  # which tells the session so, and the log
    (data_of(own) / "global" / "pg_control").unlink()
    with pytest.raises(ServerStartError, match="pg_control"):
        DurableServer(own).start()


@root_only
def test_data_that_the_server_may_not_read_is_named(own: Path) -> None:
    os.chown(data_of(own) / "global" / "pg_control", 0, 0)
    with pytest.raises(ServerStartError, match="Permission denied"):
        DurableServer(own).start()


def test_a_lost_password_is_named(own: Path) -> None:
    (own / "postgres" / "password-18").unlink()
    with pytest.raises(ServerStartError, match=r"password .* is not readable"):
        DurableServer(own).start()


@root_only
def test_a_full_disk_is_named_with_what_to_do(small_disk: Path) -> None:
    with pytest.raises(ServerStartError, match=r"no room .* disk .* is full"):
        DurableServer(small_disk).start()
    assert not (small_disk / "postgres" / "data-18").exists()
    assert not (small_disk / "postgres" / "data-18.partial").exists()


@root_only
def test_a_disk_that_filled_up_later_is_named_with_what_to_do(own: Path) -> None:
    disk = own / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m,mode=0711", "kit", disk], check=True)
    try:
        subprocess.run(["cp", "-a", f"{own}/postgres/.", disk], check=True)
        size = str(shutil.disk_usage(disk).free)
        subprocess.run(["fallocate", "--length", size, disk / "filling"], check=True)
        home = own / "home"
        home.mkdir(mode=0o711)
        (home / "postgres").symlink_to(disk)
        with pytest.raises(ServerStartError, match=r"disk of .* is full"):
            DurableServer(home).start()
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


@root_only
def test_a_read_only_home_is_named_with_what_to_do(own: Path) -> None:
    subprocess.run(["mount", "--bind", own, own], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", own], check=True)
        with pytest.raises(ServerStartError, match=r"read-only.*KIT_HOME"):
            DurableServer(own).start()
    finally:
        subprocess.run(["umount", "--lazy", own], check=True)


def test_a_home_that_is_a_file_is_named_with_what_to_do(own: Path) -> None:
    (own / "file").touch()
    with pytest.raises(ServerStartError, match=r"not a directory.*KIT_HOME"):
        DurableServer(own / "file")


def test_a_home_with_a_very_long_path_works(own: Path) -> None:
    long = own / ("long " * 20) / ("länger" * 10)
    long.mkdir(parents=True, mode=0o711)
    for parent in (long, long.parent):
        parent.chmod(0o711)
    (own / "postgres").rename(long / "postgres")
    server = DurableServer(long).start()
    try:
        assert not server.socket_dir.is_relative_to(long)
        with psycopg.connect(server.admin_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.stop()
        shutil.rmtree(server.socket_dir)
        (long / "postgres").rename(own / "postgres")


def test_a_server_that_was_half_made_is_made_anew(tmp_path: Path, home: Path) -> None:
    partial = home / "postgres" / "data-16.partial"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("16\n")
    server = DurableServer(home, version=16).start()
    try:
        assert server.version.startswith("16.")
        assert not partial.exists()
    finally:
        server.stop()


def test_old_logs_are_removed_when_it_starts(own: Path) -> None:
    logs = data_of(own) / "log"
    old = logs / "postgresql-20200101-000000.json"
    old.touch()
    os.utime(old, (0, time.time() - 8 * 86400))
    recent = logs / "postgresql-20200102-000000.json"
    recent.touch()
    DurableServer(own).start()
    assert not old.exists()
    assert recent.exists()


@root_only
def test_a_home_closed_to_others_moves_the_data_beside_it(tmp_path: Path) -> None:
    home = tmp_path / "closed"
    home.mkdir(mode=0o700)
    server = DurableServer(home)
    place = server.data_dir.parent
    assert not place.is_relative_to(home)
    assert DurableServer(home).data_dir == server.data_dir
    assert DurableServer(tmp_path / "other").data_dir != server.data_dir
    assert place not in sweep_disposable()
    home.rmdir()
    assert place in sweep_disposable()
    assert not place.exists()
