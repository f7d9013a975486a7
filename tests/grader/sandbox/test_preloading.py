"""What an instrument needs inside the sandbox is imported once, and not by every process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.catalog import load_course
from grader.judge import Judge
from grader.sandbox import BACKENDS
from pglab.scratch import Database, Role
from pglab.servers import Server
from tests.grader.courses import EXERCISE, make_course
from tests.grader.laboratory import Laboratory

KNOWS = "import sys\ndef knows(session, name): return name in sys.modules\n"


@pytest.fixture(params=[pytest.param("bubblewrap", marks=pytest.mark.sandbox), "process"])
def fresh(
    request: pytest.FixtureRequest, server: Server, student_role: Role, student_database: Database
) -> Iterator[Laboratory]:
    with BACKENDS[request.param](server.socket_dir).start() as sandbox:
        yield Laboratory(server, sandbox, student_role, student_database)


def test_cells_that_are_made_later_have_it(fresh: Laboratory) -> None:
    before = fresh.submit(KNOWS)
    assert before.value("knows", "colorsys") is False
    fresh.sandbox.preload(["colorsys", "there_is_no_such_module"])
    after = fresh.submit(KNOWS)
    assert after.value("knows", "colorsys") is True
    assert before.value("knows", "colorsys") is False
    for one in (before, after):
        one.close()


def test_what_an_application_imports_at_its_first_use_is_there(fresh: Laboratory) -> None:
    fresh.sandbox.preload(["fastapi"])
    one = fresh.submit(
        "import sys\n"
        "from fastapi import FastAPI\n"
        "from pydantic import BaseModel\n"
        "class Note(BaseModel): body: str\n"
        "def makes(session):\n"
        "    before = set(sys.modules)\n"
        "    app = FastAPI()\n"
        "    @app.post('/notes')\n"
        "    def make(note: Note) -> list[Note]: return [note]\n"
        "    return sorted(set(sys.modules) - before)\n"
    )
    assert one.value("makes") == []
    one.close()


def test_a_sandbox_that_has_to_begin_anew_is_told_again(fresh: Laboratory) -> None:
    fresh.sandbox.preload(["colorsys"])
    fresh.sandbox._end()
    fresh.sandbox.preload(["colorsys"])  # nobody is there to be told
    fresh.sandbox.start()
    fresh.sandbox.preload(["colorsys"])
    one = fresh.submit(KNOWS)
    assert one.value("knows", "colorsys") is True
    one.close()


def test_the_judge_asks_for_what_the_instruments_of_an_exercise_need(
    fresh: Laboratory, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check = "from grader.checks import check\n\n\n@check('It holds')\ndef test_it({}):\n    pass\n"
    plain, migrating = (
        load_course(
            make_course(tmp_path_factory.mktemp("course"), visible=check.format(wants))
        ).exercises[EXERCISE]
        for wants in ("db", "migrations")
    )
    asked: list[str] = []
    preload = fresh.sandbox.preload

    def noted(modules: list[str]) -> None:
        asked.extend(modules)
        preload(modules)

    fresh.sandbox.preload = noted
    with Judge(fresh.server, fresh.sandbox, seed=1) as judge:
        judge.prepare(plain)
        assert asked == []
        judge.prepare(migrating)
        assert "alembic.command" in asked
