"""A web server that answers, and a real browser that asks nobody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]


@contextmanager
def answering(app: Any, listening: socket) -> Iterator[None]:
    """Let an application answer at a port that was taken, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that asks nobody but this machine and has no errors."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on(
        "console",
        # A form that is refused is answered with 400, and Chromium calls that an error.
        lambda said: (
            troubles.append(said.text) if said.type == "error" and "400" not in said.text else None
        ),
    )
    page.on("request", lambda asked: _note_stranger(asked.url, troubles))
    yield page
    context.close()
    assert not troubles


def _note_stranger(url: str, troubles: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "data:")) or "127.0.0.1:9/" in url:
        troubles.append(f"asked {url}")
