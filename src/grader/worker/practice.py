"""What a zygote does beforehand, so that its runners find it done.

SQLAlchemy prepares much at its first use, and CPython fits functions to what they are called with
(`PEP 659 <https://peps.python.org/pep-0659/>`_). Each runner would do both anew, and would write to
memory that it shares with the zygote.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Engine, Integer, Text, delete, func, insert, select, text, update
from sqlalchemy.orm import Session, registry

from grader import wire
from grader.worker.plain import to_plain

_ROUNDS = 3
"""More of them are no quicker: what matters runs several times in each."""


def practise(engine: Engine) -> None:
    """Do what students' functions do most, in temporary tables of the engine's database.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database refuses something.
    """
    Thing = _mapped_class()
    for _ in range(_ROUNDS):
        with Session(engine, expire_on_commit=False) as session:
            session.execute(text("CREATE TEMPORARY TABLE things (id int PRIMARY KEY, name text)"))
            session.execute(text("INSERT INTO things VALUES (:id, :name)"), {"id": 1, "name": "a"})
            session.add(Thing(id=2, name="b"))
            session.execute(insert(Thing).values(id=3, name="c"))
            session.execute(update(Thing).where(Thing.id == 3).values(name="d"))
            things = session.scalars(select(Thing).where(Thing.id > 1).order_by(Thing.name)).all()
            session.scalar(select(func.count()).select_from(Thing))
            session.get(Thing, 1)
            session.execute(delete(Thing).where(Thing.id == 3))
            _converse(things)
            session.rollback()
        engine.dispose()  # so that the next round connects


def _mapped_class() -> Any:
    class Thing:
        __tablename__ = "things"
        id = Column(Integer, primary_key=True)
        name = Column(Text)

    return registry().mapped(Thing)


def _converse(value: object) -> None:
    buffer = wire.FrameBuffer()
    buffer.feed(wire.frame({"args": wire.encode(["a"]), "kwargs": wire.encode({"b": 1})}))
    message = buffer.next() or {}
    wire.decode(message["args"])
    wire.decode(message["kwargs"])
    wire.frame({"value": to_plain(value)})
