"""``kit progress``: from the journal into the tracker, and from there to the learner."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from kit import records
from kit.journal import Attempt, Check, Event, Finished, Hint, Journal, Prediction
from pglab.servers.durable import DurableServer
from tests.kit.conftest import Ended
from tests.kit.tiny_course import EXERCISE, WRONG, answer_own, make_course

Inside = Callable[..., Ended]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    course = make_course(tmp_path / "tiny")
    monkeypatch.chdir(course)
    return course


@pytest.fixture
def home(learners_home: Path, server: DurableServer) -> Iterator[Path]:
    """A home whose journal is empty and whose server has no records."""

    def clear() -> None:
        for name in ("journal.jsonl", "learner.json"):
            (learners_home / name).unlink(missing_ok=True)
        with psycopg.connect(server.admin_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                    sql.Identifier(records.NAME)
                )
            )

    clear()
    yield learners_home
    clear()


@pytest.fixture
def progress(inside: Inside, home: Path) -> Inside:
    def run(*words: str, **environment: str) -> Ended:
        return inside("progress", *words, KIT_HOME=str(home), COLUMNS="80", **environment)

    return run


def attempt(earned: float, *, misconception: str | None = None, course: str = "tiny") -> Attempt:
    failed = earned < 4
    return Attempt(
        course=course,
        exercise=EXERCISE,
        title="Greetings",
        seed=1,
        kit_version="1",
        checks=(
            Check(
                name="c",
                title="It =works",
                points=4,
                earned=earned,
                outcome="failed" if failed else "passed",
                misconception=misconception,
            ),
        ),
    )


def guess(name: str, sure: int, right: bool | None, answer: str = "3") -> Prediction:
    return Prediction(
        course="tiny", question=name, kind="text", answer=answer, confidence=sure, is_correct=right
    )


def count(server: DurableServer, table: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    with psycopg.connect(server.url(records.NAME)) as connection:
        row = connection.execute(query).fetchone()
    assert row
    return int(row[0])


@pytest.mark.usefixtures("tiny")
def test_who_did_nothing_is_told_how_to_begin(progress: Inside) -> None:
    ended = progress()
    assert ended.code == 0
    assert "0 of 1 exercises done" in ended.out
    assert "You have checked nothing yet." in ended.out
    assert "Making the database practice" in ended.err


@pytest.mark.usefixtures("tiny")
def test_what_was_done_is_shown_from_the_tracker(
    progress: Inside, home: Path, server: DurableServer
) -> None:
    events: list[Event] = [
        attempt(1, misconception="one-for-all"),
        attempt(2, misconception="one-for-all"),
        Hint(course="tiny", exercise=EXERCISE, title="T", misconception="one-for-all", rung=1),
        guess("00-rows", 90, True),
        guess("00-null", 90, False),
        guess("00-why", 50, None),
        Finished(course="tiny", notebook="00"),
    ]
    Journal(home).add(*events)
    ended = progress()
    assert ended.code == 0
    (row,) = [line for line in ended.out.splitlines() if line.startswith("01 Greetings")]
    assert row.split() == ["01", "Greetings", "█████░░░░░", "50", "%", "2/4", "2", "▂▄", "1"]
    assert "Still open: one-for-all, in 2 attempts so far. A hint: kit hint 01" in ended.out
    assert "Predictions: 2 compared. You were 90 % sure on average, and right in 50 %" in ended.out
    assert "surer than you were right" in " ".join(ended.out.split())
    assert "1 of 2" in ended.out
    assert max(len(line.rstrip()) for line in ended.out.splitlines()) <= 80
    Journal(home).add(attempt(4))
    done = progress()
    assert "1 of 1 exercises done" in done.out
    assert "Still open" not in done.out
    assert count(server, "certificates") == 1


@pytest.mark.usefixtures("tiny")
def test_looking_again_records_nothing_twice_and_a_new_database_gets_all(
    progress: Inside, home: Path, server: DurableServer
) -> None:
    made = guess("00-later", 70, None)
    Journal(home).add(attempt(1), attempt(2), attempt(3, course="another"), made)
    first = progress("--json")
    assert json.loads(progress("--json").out) == json.loads(first.out)
    assert count(server, "exercise_attempts") == 3
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE practice"))
    assert json.loads(progress("--json").out)["exercises"][0]["percents"] == [25, 50]
    told = Prediction(
        id=made.id, at=made.at, course="tiny", question=made.question, kind="text", answer="3",
        confidence=70, is_correct=True,
    )  # fmt: skip
    Journal(home).add(told)
    predictions = json.loads(progress("--json").out)["predictions"]
    assert (predictions["made"], predictions["compared"]) == (1, 1)
    assert predictions["brier_score"] == pytest.approx(0.09)


@pytest.mark.usefixtures("tiny")
def test_an_event_that_the_tracker_refuses_keeps_no_other_back(
    progress: Inside, home: Path
) -> None:
    Journal(home).add(
        attempt(1),
        attempt(9),  # of four points
        Prediction(course="tiny", question="00-x", kind="dance", answer="?"),
        guess("00-nul", 50, True, answer="\0"),
        attempt(2),
    )
    ended = progress("--json")
    assert json.loads(ended.out)["exercises"][0]["percents"] == [25, 50]
    assert "3 events of the journal are damaged and were left out." in ended.err


def test_a_check_shows_up(progress: Inside, inside: Inside, home: Path, tiny: Path) -> None:
    answer_own(tiny, WRONG)
    assert inside("check", "01", KIT_HOME=str(home)).code == 1
    exercise = json.loads(progress("--json").out)["exercises"][0]
    assert (exercise["attempts"], exercise["earned"], exercise["points"]) == (1, 1, 2)
    assert exercise["best_percent"] == 50


@pytest.mark.usefixtures("tiny")
def test_everything_can_be_taken_away_as_csv_or_json(
    progress: Inside, home: Path, tmp_path: Path
) -> None:
    Journal(home).add(
        attempt(1, misconception="one-for-all"),
        Hint(course="tiny", exercise=EXERCISE, title="T", misconception="one-for-all", rung=1),
        guess("00-rows", 90, True, answer="=1+1"),
    )
    table, document = tmp_path / "p.csv", tmp_path / "p.json"
    ended = progress("--export", str(table))
    assert ended.out.strip() == f"{table}: 3 events."
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert [row["what"] for row in rows] == ["attempt", "hint", "prediction"]
    assert (rows[0]["lesson"], rows[0]["earned"]) == (f"exercise-{EXERCISE.replace('_', '-')}", "1")
    assert (rows[0]["misconceptions"], rows[1]["rung"]) == ("one-for-all", "1")
    assert (rows[2]["answer"], rows[2]["confidence"], rows[2]["is_correct"]) == (
        "'=1+1", "90", "yes",
    )  # fmt: skip
    assert progress("--export", str(document)).code == 0
    attempts, _, prediction = json.loads(document.read_text(encoding="utf-8"))
    assert attempts["checks"][0]["title"] == "It =works"
    assert prediction["answer"] == "=1+1"


@pytest.mark.usefixtures("tiny")
def test_what_cannot_be_exported_is_refused_before_anything_starts(
    progress: Inside, tmp_path: Path
) -> None:
    for name, reason in (("p.xlsx", "neither .csv nor .json"), ("no/p.csv", "cannot be written")):
        ended = progress("--export", str(tmp_path / name))
        assert (ended.code, ended.out) == (2, "")
        assert reason in ended.err
        assert "Making" not in ended.err


@pytest.mark.usefixtures("tiny")
def test_a_file_that_does_not_say_who_learns_is_told(progress: Inside, home: Path) -> None:
    (home / "learner.json").write_text("{}", encoding="utf-8")
    ended = progress()
    assert ended.code == 3
    assert "learner.json" in ended.err
    assert "remove it" in ended.err
