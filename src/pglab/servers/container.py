"""A throw-away server in a container."""

from __future__ import annotations

import atexit
import contextlib
import os
import platform
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psycopg

from pglab.errors import ContainerEngineError, ServerUnavailable
from pglab.passwords import new_password
from pglab.servers.account import Account
from pglab.servers.cluster import ADMIN
from pglab.servers.disposable import private_directory, sweep_disposable
from pglab.servers.embedded import close_to_the_public
from pglab.servers.engine import (
    engine_errors,
    ensure_image,
    has_memory,
    image_name,
    nearest_address,
    open_engine,
)
from pglab.servers.locks import FileLock
from pglab.servers.places import LONGEST_SOCKET_PATH, SOCKET_NAME, temporary_place
from pglab.servers.relay import Relay
from pglab.servers.server import Server, connect
from pglab.servers.settings import as_arguments, settings_for
from pglab.servers.tls import dial
from pglab.servers.url import OLDEST
from pglab.urls import database_url

if TYPE_CHECKING:
    from testcontainers.community.postgres import PostgresContainer

__all__ = ["ContainerServer", "owner_labels", "sweep_containers"]

_PORT = 5432
_SOCKET_MOUNT = "/kit-socket"
_MEMORY_MOUNT = "/kit-memory"
_START_S = 90.0
_LOGS_KEPT = 8
_LOOK_S = 5.0
_LABEL_DIRECTORY, _LABEL_HOST = "kit.directory", "kit.host"


class ContainerServer(Server):
    """PostgreSQL from an image with the contract of the official one, gone with this process.

    It is reached by a Unix socket in a directory that is mounted into the container; where that
    does not work (an engine on another machine, or in a virtual machine), by its published port.
    """

    kind = "container"
    durable = False

    def __init__(self, image: str | None = None) -> None:
        self._image = image or image_name()
        self._password = new_password()
        self._container: PostgresContainer | None = None
        self._directory: Path | None = None
        self._lock: FileLock | None = None
        self._mounted: Path | None = None
        self._relay: Relay | None = None
        self._address = ("127.0.0.1", 0)
        self._data = ""
        self._stopped = threading.Event()
        self._process = os.getpid()

    @property
    def admin_url(self) -> str:
        """libpq URI of the superuser on the database ``postgres``."""
        if self._mounted is not None:
            return database_url(
                "postgres", user=ADMIN, password=self._password, host=str(self._mounted), port=_PORT
            )
        return self._tcp_url()

    @property
    def socket_dir(self) -> Path:
        """Directory of the server's Unix socket, or of a relay to its published port."""
        if self._mounted is not None:
            return self._mounted
        if self._relay is None:
            self._relay = Relay(lambda: dial(*self._address, {"sslmode": "disable"}))
        return self._relay.directory

    @property
    def port(self) -> int:
        """The port number in the socket's name."""
        return _PORT

    def start(self) -> Self:
        """Start the container and wait until the server answers.

        Raises:
            ContainerEngineError: no engine, no image, or a container that ends at once.
        """
        if self._container is not None:
            return self
        sweep_containers()
        ensure_image(self._image)
        sweep_disposable()
        atexit.register(self.stop)
        try:
            self._directory, self._lock = private_directory(temporary_place(Account()), Account())
            self._container = self._run(self._directory)
            self._wait()
            self._inspect()
            self._mounted = self._mounted_socket()
            close_to_the_public(self.admin_url)
        except BaseException:
            self.stop()
            raise
        keeper = threading.Thread(target=self._prune_logs, args=(self._data,), daemon=True)
        keeper.start()
        return self

    def stop(self) -> None:
        """Remove the container and all that belongs to it; in a forked child this does nothing."""
        if os.getpid() != self._process:
            return
        atexit.unregister(self.stop)
        self._stopped.set()
        if self._relay is not None:
            self._relay.close()
            self._relay = None
        if self._container is not None:
            with contextlib.suppress(*engine_errors()):
                self._container.stop(force=True, delete_volume=True)
            self._container = None
        self._mounted = None
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _run(self, directory: Path) -> PostgresContainer:
        container = _container_class()(
            self._image,
            username=ADMIN,
            password=self._password,
            dbname="postgres",
            driver="psycopg",
            docker_client_kw={"timeout": 60},
        )
        settings = settings_for(disposable=True)
        socket_dir = directory / "s"
        if sys.platform != "win32":
            socket_dir.mkdir()
            # The account in the container is not ours; the directory above lets nobody else in.
            socket_dir.chmod(0o777)
            container.with_volume_mapping(socket_dir, _SOCKET_MOUNT, "rw")
            settings |= {"unix_socket_directories": f"/var/run/postgresql,{_SOCKET_MOUNT}"}
        # Without these the official image lets everybody in, unasked, through the Unix socket.
        container.with_env("POSTGRES_INITDB_ARGS", _INITDB_ARGUMENTS)
        container.with_command(["postgres", *as_arguments(settings)])
        container.with_kwargs(labels=owner_labels(directory), shm_size="256m")
        if address := nearest_address(container.get_docker_client()):
            container.ports = {f"{_PORT}/tcp": (address, None)}
        if has_memory(container.get_docker_client()):
            container.with_env("PGDATA", f"{_MEMORY_MOUNT}/data")
            container.with_tmpfs_mount(_MEMORY_MOUNT, "size=2g")
        self._container = container
        try:
            container.start()
        except engine_errors() as error:
            raise ContainerEngineError(
                f"The container engine could not start {self._image}: {error}. Try another image "
                "with KIT_POSTGRES_IMAGE, or use --database embedded."
            ) from error
        return container

    def _wait(self) -> None:
        assert self._container is not None
        deadline = time.monotonic() + _START_S
        while True:
            self._container.reload()
            if self._container.status in {"exited", "dead"} or time.monotonic() > deadline:
                raise ContainerEngineError(self._said())
            try:
                # By TCP: while the image sets itself up it has a server on the socket alone.
                self._address = (
                    self._container.get_container_host_ip(),
                    self._container._get_exposed_port(_PORT),
                )
                connect(self._tcp_url(), timeout_s=2).close()
                return
            except (psycopg.OperationalError, ConnectionError):
                time.sleep(0.05)

    def _said(self) -> str:
        assert self._container is not None
        out, err = self._container.get_logs()
        last = (out + err).decode("utf-8", "replace").strip().splitlines()[-3:]
        return (
            f"The container of {self._image} did not become a PostgreSQL server. It said: "
            f"{' / '.join(last) or 'nothing'}. Try another image with KIT_POSTGRES_IMAGE, or use "
            "--database embedded."
        )

    def _inspect(self) -> None:
        """Refuse an image that is too old or that lets anybody in without a password."""
        with connect(self._tcp_url()) as connection:
            version = connection.info.server_version
            row = connection.execute(
                "SELECT current_setting('data_directory'), count(*) "
                "FROM pg_hba_file_rules WHERE auth_method = 'trust'"
            ).fetchone()
        if version < OLDEST * 10_000:
            raise ServerUnavailable(
                f"The image {self._image} is PostgreSQL {version // 10_000}, and the kit needs "
                f"{OLDEST} or later. Name another one with KIT_POSTGRES_IMAGE."
            )
        if row is None or row[1] > 0:
            raise ContainerEngineError(
                f"The image {self._image} lets everybody in without a password (it does not heed "
                "POSTGRES_INITDB_ARGS), so submissions could read everything. Use postgres:18 or "
                "another image with the contract of the official one."
            )
        self._data = str(row[0])

    def _mounted_socket(self) -> Path | None:
        """The mounted directory, if the server can really be reached through it."""
        assert self._directory is not None
        place = self._directory / "s"
        path = place / SOCKET_NAME
        if not path.exists() or len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
            return None
        url = database_url(
            "postgres", user=ADMIN, password=self._password, host=str(place), port=_PORT
        )
        try:
            connect(url, timeout_s=3).close()
        except psycopg.OperationalError:
            return None
        return place

    def _tcp_url(self) -> str:
        host, port = self._address
        return database_url("postgres", user=ADMIN, password=self._password, host=host, port=port)

    def _prune_logs(self, data: str) -> None:
        """Keep a flood of statements from filling the engine's disk."""
        script = f'cd "$1" && ls | grep "[.]json$" | sort | head -n -{_LOGS_KEPT} | xargs -r rm --'
        while not self._stopped.wait(_LOOK_S):
            container = self._container
            if container is None:
                return
            with contextlib.suppress(*engine_errors()):
                container.exec(["sh", "-c", script, "sh", f"{data}/log"])


_INITDB_ARGUMENTS = (
    "--encoding=UTF8 --locale=C.UTF-8 --no-sync "
    "--auth-local=scram-sha-256 --auth-host=scram-sha-256"
)


def _container_class() -> type[PostgresContainer]:
    """testcontainers' class, waiting for the server in our own way: it also sees a quick end."""
    # Its clean-up container needs an image of its own, which an air-gapped machine lacks; we clean
    # up ourselves, on exit and at the next start. Somebody's own choice in the environment holds.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.community.postgres import PostgresContainer

    class Container(PostgresContainer):  # type: ignore[misc]
        def _connect(self) -> None:
            pass

    return Container


def owner_labels(directory: Path) -> dict[str, str]:
    """What a container carries that `sweep_containers` removes once its owner is dead.

    Args:
        directory: the owner's `private_directory`, whose lock it holds.
    """
    return {_LABEL_DIRECTORY: str(directory), _LABEL_HOST: platform.node()}


def sweep_containers() -> list[str]:
    """Remove the containers whose owners were killed; their names.

    A container carries the name of its owner's directory, on which a living owner holds a lock.
    """
    client: Any = open_engine()
    swept = []
    try:
        found = client.containers.list(
            all=True,
            ignore_removed=True,  # by others, since they were listed
            filters={"label": f"{_LABEL_HOST}={platform.node()}"},
        )
        for container in found:
            directory = Path(container.labels.get(_LABEL_DIRECTORY, "/nonexistent"))
            lock = FileLock(directory / "owner.lock")
            if directory.is_dir() and not lock.acquire(wait=False):
                continue
            with contextlib.suppress(*engine_errors()):
                container.remove(force=True, v=True)
                swept.append(str(container.name))
            lock.release()
            shutil.rmtree(directory, ignore_errors=True)
    except engine_errors() as error:
        raise ContainerEngineError(f"The container engine failed: {error}") from error
    finally:
        client.close()
    return swept
