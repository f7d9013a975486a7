"""The container engine: is there one, does it answer, and does it have our image."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from pglab.errors import ContainerEngineError

__all__ = ["PING_S", "ensure_image", "image_name", "open_engine"]

PING_S = 3
"""Seconds that an engine has to answer; one that hangs must not hang a class."""
_PULL_S = 30
"""Seconds of silence after which pulling an image is given up."""


def image_name() -> str:
    """The image to run: ``KIT_POSTGRES_IMAGE``, or ``postgres:18``."""
    return os.environ.get("KIT_POSTGRES_IMAGE") or "postgres:18"


def open_engine(timeout_s: int = PING_S) -> Any:
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
        import docker
        import requests
    except ImportError as error:
        raise ContainerEngineError(
            "The Python package testcontainers is not installed, so the kit cannot use "
            "containers. Install it with: pip install 'kit[grade]'"
        ) from error
    try:
        client = docker.from_env(timeout=timeout_s)
        client.ping()
    except requests.exceptions.Timeout as error:
        raise ContainerEngineError(
            f"The container engine did not answer within {timeout_s} seconds. Restart it, or use "
            "the embedded server: --database embedded"
        ) from error
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        raise ContainerEngineError(_unreachable(error)) from error
    return client


def ensure_image(name: str, pull_silence_s: int = _PULL_S) -> None:
    """Have an image here, pulling it where it is missing.

    Raises:
        ContainerEngineError: it is not here and cannot be pulled.
    """
    import docker
    import requests

    client = open_engine()
    try:
        client.images.get(name)
        return
    except docker.errors.ImageNotFound:
        pass
    finally:
        client.close()
    client = docker.from_env(timeout=pull_silence_s)
    try:
        client.images.pull(*_repository_and_tag(name))
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise ContainerEngineError(
            f"The image {name} is not on this machine and could not be pulled. Pull or build it "
            "there, name another one with KIT_POSTGRES_IMAGE, or use --database embedded. "
            f"({_last_line(error)})"
        ) from error
    finally:
        client.close()


def _surely_absent() -> bool:
    """No engine, seen without loading the client library (which takes a third of a second)."""
    if sys.platform != "linux" or os.environ.get("DOCKER_HOST"):
        return False
    return not (Path("/var/run/docker.sock").exists() or Path.home().joinpath(".docker").exists())


def _repository_and_tag(name: str) -> tuple[str, str | None]:
    if "@" in name:
        return name, None
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return name, "latest"
    return repository, tag


def _unreachable(error: Exception) -> str:
    if "Permission denied" in str(error):
        return (
            "The container engine does not let this user in. Add the user to the group docker "
            "and log in again, or use the embedded server: --database embedded"
        )
    return (
        "The container engine is not running. Start it, or use the embedded server: "
        f"--database embedded. ({_last_line(error)})"
    )


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1][:300] if lines else type(error).__name__
