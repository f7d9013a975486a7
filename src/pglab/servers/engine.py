"""The container engine: is there one, does it answer, and does it have our image."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import sys
from pathlib import Path
from typing import Any

from pglab.errors import ContainerEngineError

__all__ = [
    "PING_S",
    "engine_errors",
    "ensure_image",
    "has_memory",
    "image_name",
    "nearest_address",
    "open_engine",
]

PING_S = 3
"""Seconds that an engine has to answer; one that hangs must not hang a class."""
_MUCH_MEMORY = 6 << 30
"""Bytes of memory from which 2 GB may hold throw-away data (see ``places.scratch_place``)."""
_CONFIGURED = (".docker", ".testcontainers.properties")
_PULL_S = 30
"""Seconds of silence after which pulling an image is given up."""


def image_name() -> str:
    """The image to run: ``KIT_POSTGRES_IMAGE``, or ``postgres:18``."""
    return os.environ.get("KIT_POSTGRES_IMAGE") or "postgres:18"


def open_engine(timeout_s: int | None = None) -> Any:
    """A client of the container engine (``docker.DockerClient``) that has just answered.

    Raises:
        ContainerEngineError: there is none, or it does not answer in time.
    """
    if _surely_absent():
        raise ContainerEngineError(
            "There is no container engine on this machine. Install and start Docker or Podman, "
            "or use the embedded server: --database embedded"
        )
    try:
        from testcontainers.core.docker_client import DockerClient
    except ImportError as error:
        raise ContainerEngineError(
            "The Python package testcontainers is not installed, so the kit cannot use "
            "containers. Install it with: pip install 'kit[grade]'"
        ) from error
    timeout_s = timeout_s or PING_S
    try:
        client = DockerClient(timeout=timeout_s).client
        client.ping()
    except engine_errors() as error:
        raise ContainerEngineError(_unreachable(error, timeout_s)) from error
    return client


def engine_errors() -> tuple[type[Exception], ...]:
    """What the engine's client raises when the engine fails."""
    import docker
    import requests

    return (docker.errors.DockerException, requests.exceptions.RequestException, OSError)


def ensure_image(name: str, pull_silence_s: int = _PULL_S) -> None:
    """Have an image here, pulling it where it is missing.

    Raises:
        ContainerEngineError: it is not here and cannot be pulled.
    """
    from docker.errors import ImageNotFound

    with contextlib.closing(open_engine()) as client:
        try:
            client.images.get(name)
            return
        except ImageNotFound:
            pass
        except engine_errors() as error:
            raise ContainerEngineError(_unreachable(error, PING_S)) from error
    with contextlib.closing(open_engine(pull_silence_s)) as client:
        try:
            client.images.pull(*_repository_and_tag(name))
        except engine_errors() as error:
            raise ContainerEngineError(
                f"The image {name} is not on this machine and could not be pulled. Pull or build "
                "it, name another one with KIT_POSTGRES_IMAGE, or use --database embedded. "
                f"({_last_line(error)})"
            ) from error


def nearest_address(engine: Any) -> str | None:
    """The address of the engine's machine on which only that machine can reach a published port.

    None where we are on another machine, and the port must be open to ours.

    Args:
        engine: testcontainers' ``DockerClient``.
    """
    from testcontainers.core.config import ConnectionMode

    mode = engine.get_connection_mode()
    if mode == ConnectionMode.docker_host and engine.host() in {"localhost", "127.0.0.1"}:
        return "127.0.0.1"
    if mode == ConnectionMode.gateway_ip:  # we are in a container of the same engine
        for network in engine.client.networks.get("bridge").attrs["IPAM"]["Config"] or []:
            first = next(ipaddress.ip_network(network["Subnet"]).hosts())
            return str(network.get("Gateway") or first)
    return None


def has_memory(engine: Any) -> bool:
    """The engine's machine can spare the memory to keep throw-away data in."""
    return int(engine.client.info().get("MemTotal", 0)) >= _MUCH_MEMORY


def _surely_absent() -> bool:
    """No engine, seen without loading the client library (which takes a third of a second)."""
    if sys.platform != "linux" or os.environ.get("DOCKER_HOST"):
        return False
    signs = (Path("/var/run/docker.sock"), *map(Path.home().joinpath, _CONFIGURED))
    return not any(sign.exists() for sign in signs)


def _repository_and_tag(name: str) -> tuple[str, str | None]:
    if "@" in name:
        return name, None
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return name, "latest"
    return repository, tag


def _unreachable(error: Exception, timeout_s: int) -> str:
    if _is_timeout(error):
        return (
            f"The container engine did not answer within {timeout_s} seconds. Restart it, or use "
            "the embedded server: --database embedded"
        )
    if "Permission denied" in str(error):
        return (
            "The container engine does not let this user in. Add the user to the group docker "
            "and log in again, or use the embedded server: --database embedded"
        )
    return (
        "The container engine is not running. Start it, or use the embedded server: "
        f"--database embedded. ({_last_line(error)})"
    )


def _is_timeout(error: BaseException | None) -> bool:
    """Whether an error, or one that it stands for, is that time ran out."""
    import requests

    while error is not None:
        if isinstance(error, requests.exceptions.Timeout):
            return True
        error = error.__cause__ or error.__context__
    return False


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1][:300] if lines else type(error).__name__
