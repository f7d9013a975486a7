"""What a zygote practises where applications are served: FastAPI imports much at its first use."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

_ROUNDS = 3


class Thing(BaseModel):
    name: str
    size: int | None = None


def practise() -> None:
    """Have applications answer a few requests, without a server and without threads: whoever is
    forked has one thread only.
    """
    for _ in range(_ROUNDS):
        app = _application()
        asyncio.run(_ask(app, "POST", "/things", b'{"name": "a"}'))
        asyncio.run(_ask(app, "GET", "/things/1", b""))


def _application() -> FastAPI:
    app = FastAPI()

    @app.post("/things", status_code=201)
    async def make(thing: Thing) -> Thing:
        return thing

    @app.get("/things/{number}")
    async def show(number: int, limit: int = 1) -> list[Thing]:
        return [Thing(name="a", size=number)] * limit

    return app


async def _ask(app: FastAPI, method: str, path: str, body: bytes) -> None:
    """Send a request as a server does.

    Source: https://asgi.readthedocs.io/en/stable/specs/www.html
    """

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message.get("status", 200) >= 300:
            raise RuntimeError(f"{method} {path} was answered with {message['status']}")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    await app(scope, receive, send)
