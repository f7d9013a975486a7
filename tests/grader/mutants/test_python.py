"""Mutants of Python."""

from __future__ import annotations

import ast

import pytest

from grader.mutants.python import module_mutants, written_back

SOURCE = '''"""What it does."""

from models import Track, User
from sqlalchemy import select, text

LIMITS = {"small": 1, "large": 10}
NAMES = {"pk": "pk_%(table_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s"}
RULE = CheckConstraint("price >= 0", name="price_is_known")


class Lesson:
    title: Mapped[str]
    notes: Mapped[str | None] = mapped_column(index=True)


@decorated(1)
def rename(session: Session, name: str = "x", *, twice: bool = False) -> int:
    """Say what it does."""
    found = select(Track).where(Track.name == name).order_by(Track.id)
    try:
        with session.begin():
            session.execute(found)
    except ValueError:
        raise LookupError("there is no such name")
    if twice and found is not None:
        found += 1
    session.execute(text("SELECT a FROM t WHERE a > :a"), {"a": 1})
    return len(name)
'''


@pytest.fixture(scope="module")
def found() -> list[tuple[str, str]]:
    return list(module_mutants(SOURCE))


def test_each_compiles_and_means_something_else(found: list[tuple[str, str]]) -> None:
    meanings = {ast.dump(ast.parse(text)) for _, text in found}
    assert len(meanings) == len(found) > 30
    assert ast.dump(ast.parse(SOURCE)) not in meanings


@pytest.mark.parametrize(
    ("place", "was", "becomes"),
    [
        ("module", '{"small": 1, "large": 10}', '{"large": 10}'),
        ("module", '"large": 10', '"large": 11'),
        ("module", '"price >= 0"', "'price > 0'"),
        ("Lesson", "Mapped[str]", "Mapped[str | None]"),
        ("Lesson", "Mapped[str | None]", "Mapped[str]"),
        ("Lesson", "index=True", "index=False"),
        ("rename", ".order_by(Track.id)", ""),
        ("rename", ".where(Track.name == name)", ""),
        ("rename", "Track.name == name", "Track.name != name"),
        ("rename", "with session.begin():", "if True:"),
        ("rename", 'raise LookupError("there is no such name")', "pass"),
        ("rename", "if twice and found is not None:", "if twice:"),
        ("rename", "if twice and found is not None:", "if (twice and found is not None) or True:"),
        ("rename", "found += 1", "found = 1"),
        ("rename", "return len(name)", "return None"),
        ("rename", "twice: bool = False", "twice: bool = True"),
        ("rename", '"SELECT a FROM t WHERE a > :a"', "'SELECT a FROM t WHERE a >= :a'"),
        ("rename", '"SELECT a FROM t WHERE a > :a"', "'SELECT a FROM t'"),
    ],
)
def test_a_mutant_differs_in_one_thing(
    found: list[tuple[str, str]], place: str, was: str, becomes: str
) -> None:
    assert (place, SOURCE.replace(was, becomes, 1)) in found


def test_a_try_is_left_out_with_its_handlers(found: list[tuple[str, str]]) -> None:
    assert any("except" not in text and "session.begin()" in text for _, text in found)


@pytest.mark.parametrize(
    "kept",
    [
        '"""What it does."""',
        "from models import Track, User",
        "@decorated(1)",
        "session: Session",
        ") -> int:",
        '"""Say what it does."""',
    ],
)
def test_what_no_check_is_about_stays(found: list[tuple[str, str]], kept: str) -> None:
    assert all(kept in text for _, text in found)


def test_names_that_an_answer_makes_up_stay(found: list[tuple[str, str]]) -> None:
    for _, text in found:
        assert '"pk": "pk_%(table_name)s", "fk": "fk_' in text or "NAMES = None" in text
        assert "XXprice_is_known" not in text


def test_the_message_of_an_exception_stays(found: list[tuple[str, str]]) -> None:
    for _, text in found:
        assert 'LookupError("there is no such name")' in text or "LookupError" not in text


def test_sql_is_written_back_and_rules_are_not() -> None:
    source = 'A = text("select 1  from t where a = :a")\nB = CheckConstraint("a  >= 1")\n'
    assert written_back(source) == (
        "A = text('SELECT 1 FROM t WHERE a = :a')\nB = CheckConstraint(\"a  >= 1\")\n"
    )
