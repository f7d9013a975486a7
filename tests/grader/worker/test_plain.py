"""What a student's function may return, and how it arrives."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import enum
import ipaddress
import uuid
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel
from sqlalchemy import ForeignKey, create_engine, inspect, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
)

from grader.wire import WireError, decode
from grader.worker.plain import to_plain
from pglab.scratch import Database, Role
from pglab.urls import sqlalchemy_url


def arrives(value: Any) -> Any:
    return decode(to_plain(value))


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Name(str):
    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class Money(Decimal):
    pass


class Moment(dt.datetime):
    pass


class Day(dt.date):
    pass


class Span(dt.timedelta):
    pass


class Clock(dt.time):
    pass


class Key(uuid.UUID):
    pass


class Count(int):
    pass


class Share(float):
    pass


class Blob(bytes):
    pass


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Report:
    title: str
    points: list[Point]


class Settings(BaseModel):
    color: Color
    sizes: set[int]


class Lazy(Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        return len(key)

    def __iter__(self) -> Iterator[str]:
        return iter(["a", "bb"])

    def __len__(self) -> int:
        return 2


KEY = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ((1, (2, 3)), [1, [2, 3]]),
        ({(1, 2): "pair"}, {(1, 2): "pair"}),
        (Color.RED, "red"),
        (Level.HIGH, 3),
        ({Color.RED: Level.HIGH}, {"red": 3}),
        (Name("ada"), "ada"),
        (Count(3), 3),
        (Share(0.5), 0.5),
        (Blob(b"x"), b"x"),
        (bytearray(b"x"), b"x"),
        (memoryview(b"x"), b"x"),
        (Money("1.50"), Decimal("1.50")),
        (Moment(2026, 1, 2, 3, tzinfo=dt.UTC), dt.datetime(2026, 1, 2, 3, tzinfo=dt.UTC)),
        (Day(2026, 1, 2), dt.date(2026, 1, 2)),
        (Span(1, 2, 3), dt.timedelta(1, 2, 3)),
        (Clock(1, 2, 3, 4), dt.time(1, 2, 3, 4)),
        (Key(int=7), KEY),
        (Point(1, 2), {"x": 1, "y": 2}),
        (Report("a", [Point(1, 2)]), {"title": "a", "points": [{"x": 1, "y": 2}]}),
        (Settings(color=Color.RED, sizes={1}), {"color": "red", "sizes": {1}}),
        (Lazy(), {"a": 1, "bb": 2}),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.defaultdict(int, a=1), {"a": 1}),
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (collections.deque([1, 2]), [1, 2]),
        ({"a": 1}.keys(), {"a"}),
        ({"a": 1}.values(), [1]),
        (range(3), [0, 1, 2]),
        ((n for n in (1, 2)), [1, 2]),
        (frozenset({1}), {1}),
        (ipaddress.ip_address("10.0.0.1"), "IPv4Address('10.0.0.1')"),
        (int, "<class 'int'>"),
        (Report, f"{Report!r}"),
        (ValueError("x"), "ValueError('x')"),
        (3 + 4j, "(3+4j)"),
        (None, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_arrives_as_the_nearest_plain_one(value: Any, plain: Any) -> None:
    arrived = arrives(value)
    assert arrived == plain
    assert type(arrived) is type(plain)


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    books: Mapped[list[Book]] = relationship(back_populates="author")


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("authors.id"))
    author: Mapped[Author | None] = relationship(back_populates="books")


@pytest.fixture
def session(student_database: Database, student_role: Role) -> Iterator[Session]:
    engine = create_engine(sqlalchemy_url(student_database.url_for(student_role)))
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TEMP TABLE authors (id int PRIMARY KEY, name text)")
        connection.exec_driver_sql(
            "CREATE TEMP TABLE books (id int PRIMARY KEY, title text, author_id int)"
        )
        with Session(connection) as session:
            session.add(Author(id=1, name="Ada", books=[Book(id=1, title="a")]))
            session.flush()
            session.expire_all()
            yield session
    engine.dispose()


def test_a_mapped_object_arrives_as_what_is_loaded_of_it(session: Session) -> None:
    author = session.scalars(select(Author)).one()
    assert arrives(author) == {"id": 1, "name": "Ada"}
    assert len(author.books) == 1
    assert arrives(author) == {
        "id": 1,
        "name": "Ada",
        "books": [{"id": 1, "title": "a", "author_id": 1}],
    }


def test_attributes_arrive_in_the_order_of_the_class_however_they_were_loaded(
    session: Session,
) -> None:
    book = session.get_one(Book, 1)
    session.expire(book)
    for name in ("title", "author_id", "id"):
        session.refresh(book, [name])
    book.shelf, book.aisle = 7, 2
    assert list(inspect(book).dict)[-1] == "aisle"
    assert list(arrives(book)) == ["id", "title", "author_id", "aisle", "shelf"]


def test_objects_that_refer_to_each_other_come_to_an_end(session: Session) -> None:
    book = session.scalars(select(Book)).one()
    assert book.author is not None
    assert book.author.books == [book]
    assert arrives(book)["author"] == {"id": 1, "name": "Ada", "books": []}


def test_rows_arrive_as_dicts(session: Session) -> None:
    rows = session.execute(select(Book.id, Book.title)).all()
    assert arrives(rows) == [{"id": 1, "title": "a"}]
    assert arrives(rows[0]) == {"id": 1, "title": "a"}
    assert arrives(session.execute(select(Book.title)).mappings().one()) == {"title": "a"}


def test_a_result_that_was_not_read_arrives_read(session: Session) -> None:
    assert arrives(session.execute(select(Book.title))) == [{"title": "a"}]
    assert arrives(session.scalars(select(Book.title))) == ["a"]
    assert arrives(session.execute(select(Book.title)).mappings()) == [{"title": "a"}]


def test_reading_an_answer_sends_nothing(session: Session) -> None:
    author = session.scalars(select(Author)).one()
    session.expire(author, ["name"])
    session.connection().close()
    assert arrives(author) == {"id": 1}


def test_what_never_ends_is_cut_or_refused() -> None:
    def naturals() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    assert len(arrives(naturals())) == 100_000
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(WireError):
        to_plain(endless)
