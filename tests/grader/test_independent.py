"""Which given modules can be imported before there is an answer."""

from __future__ import annotations

import pytest

from grader.independent import independent


def names(given: dict[str, str], *answer: str) -> list[str]:
    return list(independent({name: text.encode() for name, text in given.items()}, answer))


def test_a_module_of_libraries_alone_is_independent() -> None:
    source = "from sqlalchemy.orm import DeclarativeBase\nimport datetime\n"
    assert independent({"models.py": source.encode()}, ["store.py"]) == {"models.py": source}


@pytest.mark.parametrize(
    "source",
    [
        "import store",
        "import store.parts",
        "from store import save",
        "from store import *",
        "def late():\n    from store import save",
        "import importlib\nimportlib.import_module('st' + 'ore')",
        "__import__('store')",
        "exec(open('store.py').read())",
        "from . import store",
        "from alembic import context\ncontext.config.get_main_option('sqlalchemy.url')",
        "def unfinished(:",
    ],
)
def test_one_that_may_need_the_answer_is_not(source: str) -> None:
    assert names({"models.py": source}, "store.py") == []


def test_neither_is_one_that_needs_such_a_module() -> None:
    given = {
        "kept.py": "import json",
        "upper.py": "import middle, kept",
        "middle.py": "import lower",
        "lower.py": "import store",
    }
    assert names(given, "store.py") == ["kept.py"]


def test_a_local_name_like_the_answers_is_no_import() -> None:
    assert names({"models.py": "def f(store):\n    return store"}, "store.py") == ["models.py"]


@pytest.mark.parametrize("name", ["0001_first.py", "schema.sql", "models.txt"])
def test_only_modules_are_imported(name: str) -> None:
    assert names({name: "x = 1"}, "store.py") == []


def test_what_is_no_text_is_left_alone() -> None:
    assert independent({"models.py": b"\xff\xfe"}, ["store.py"]) == {}
    assert independent({"models.py": b"import other", "other.py": b"\xff"}, ["store.py"]) == {}
