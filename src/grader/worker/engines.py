"""The engine of a runner. One that has met the server before it was forked need not ask it again.

SQLAlchemy asks a server a few things on the first connection of an engine, which takes longer than
connecting does. So the zygote connects once, and what it learned is inherited by every runner, what
it practised too.
"""

from __future__ import annotations

import contextlib
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError

from grader.worker.practice import practise

_met: list[Engine] = []
"""None, or the one engine that knows the server."""


def meet(url: str) -> None:
    """Have an engine ready that knows the server at ``url``; it keeps no connection.

    Raises:
        sqlalchemy.exc.OperationalError: the server cannot be reached.
    """
    engine = _new(url)
    _greet(engine)
    with contextlib.suppress(SQLAlchemyError):  # runners work all the same, a little slower
        practise(engine)
    engine.dispose()
    _met[:] = [engine]


def engine_for(url: str) -> Engine:
    """An engine whose first connection is made now, so that its greeting is not counted to the
    student.
    """
    if _met:
        engine = _met[0]
        engine.url = make_url(url)
    else:
        engine = _new(url)
    _greet(engine)
    return engine


def _new(url: str) -> Engine:
    # No exercise has hstore columns; asking the catalog for them costs a fifth of connecting.
    engine = create_engine(url, pool_size=5, max_overflow=5, use_native_hstore=False)

    @event.listens_for(engine, "do_connect")
    def to_its_url(
        dialect: Any, record: object, arguments: Any, parameters: dict[str, Any]
    ) -> None:
        parameters.clear()
        parameters.update(dialect.create_connect_args(engine.url)[1])

    return engine


def _greet(engine: Engine) -> None:
    with engine.connect():
        pass
