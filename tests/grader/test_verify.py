"""The author's proof, for an exercise whose answer is several files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.verify import Verification, verify
from pglab.servers import Server
from tests.grader.courses import (
    BEHIND,
    EXERCISE,
    FILES,
    HERE,
    PAGE,
    SOLUTION,
    STARTER,
    TOML,
    write_files,
)

Prove = Callable[..., Verification]
"""Takes files that the course has besides, or otherwise; None removes one."""

COUNT = "SELECT count(*) AS notes FROM notes WHERE body LIKE '%' || :word || '%';\n"
HEADER = "-- misconception: in-any-order\n-- fails: test_notes_are_counted\n"
WRONG = HEADER + COUNT.replace("count(*)", "count(DISTINCT body)")
WITHOUT_ORDER = FILES[f"{BEHIND}/mistakes/without_order.py"]
BOTH = WITHOUT_ORDER.replace("# fails: ", "# fails: test_notes_are_counted, ", 1)

VISIBLE = (
    FILES[f"{HERE}/test_visible.py"]
    + """

@check("Notes are counted", misconception="in-any-order")
def test_notes_are_counted(sql, db, data):
    word = data.word()
    db.insert("notes", {"body": word}, {"body": word}, {"body": data.word()})
    assert sql.rows("count.sql", {"word": word}) == [{"notes": 2}], hint("There are two.")
"""
)
TWO_ANSWERS = {
    **FILES,
    f"{HERE}/exercise.toml": TOML.replace('["notes.py"]', '["notes.py", "count.sql"]'),
    f"{HERE}/notes.py": STARTER,
    f"{HERE}/count.sql": "SELECT 0 AS notes;\n",
    f"{HERE}/test_visible.py": VISIBLE,
    f"{BEHIND}/count.sql": COUNT,
    f"{BEHIND}/alternatives/plain.notes.py": FILES[f"{BEHIND}/alternatives/plain.py"],
    f"{BEHIND}/alternatives/whole/notes.py": SOLUTION,
    f"{BEHIND}/alternatives/whole/count.sql": COUNT.replace("count(*)", "count(body)"),
    f"{BEHIND}/mistakes/without_order.notes.py": WITHOUT_ORDER,
    f"{BEHIND}/mistakes/distinct.count.sql": WRONG,
    f"{BEHIND}/mistakes/both/notes.py": BOTH,
    f"{BEHIND}/mistakes/both/count.sql": COUNT.replace("count(*)", "0"),
    "docs/misconceptions/in-any-order.md": PAGE,
}
NOT_NAMED = (f"{BEHIND}/alternatives/plain.py", f"{BEHIND}/mistakes/without_order.py")

pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def prove(tmp_path: Path, home: Path, server: Server) -> Prove:
    """Write the course and prove it."""
    write_files(tmp_path, {k: v for k, v in TWO_ANSWERS.items() if k not in NOT_NAMED})

    def run(**others: str | None) -> Verification:
        write_files(tmp_path, {f"{BEHIND}/{name}": text for name, text in others.items()})
        return verify(
            [], course_root=tmp_path, home=home, database=server.admin_url, sandbox="process"
        )

    return run


def told(proof: Verification) -> list[str]:
    return [f"{finding.where}: {finding.message}" for finding in proof.findings]


def test_files_and_folders_are_completed_by_the_solution(prove: Prove) -> None:
    proof = prove()
    assert told(proof) == []
    assert proof.submissions == 7  # starter, solution, two alternatives, three mistakes


@pytest.mark.slow
def test_a_file_stands_only_for_the_answer_that_it_is_named_for(prove: Prove) -> None:
    proof = prove(**{"mistakes/distinct.count.sql": HEADER + COUNT})
    assert told(proof) == [
        "mistake distinct.count.sql: should fail test_notes_are_counted, and passes it",
        "mistake distinct.count.sql: is not shown its misconception in-any-order (shown: none)",
    ]


@pytest.mark.slow
def test_a_folder_replaces_what_it_holds(prove: Prove) -> None:
    proof = prove(**{"mistakes/both/count.sql": None})
    assert told(proof) == ["mistake both: should fail test_notes_are_counted, and passes it"]


@pytest.mark.parametrize("kind", ["alternatives", "mistakes"])
def test_a_file_that_is_named_for_no_answer_is_told_what_to_be_called(
    prove: Prove, kind: str
) -> None:
    assert told(prove(**{f"{kind}/zero.sql": HEADER + COUNT})) == [
        f"{BEHIND}: {kind}/zero.sql stands for no answer file. Call it zero.notes.py or"
        " zero.count.sql, or make it a folder."
    ]


@pytest.mark.slow
def test_a_folder_without_an_answer_and_a_stray_file_are_told(prove: Prove) -> None:
    assert told(prove(**{"mistakes/none/notes.txt": "later"})) == [
        f"{BEHIND}/mistakes/none/notes.txt: has no purpose here: name it in exercise.toml or"
        " delete it",
        f"{BEHIND}: mistakes/none stands for no answer file. Put one into it.",
    ]


# Breaks on wrong answers, and on nothing else.
BREAKS = VISIBLE.replace(
    '    assert sql.rows("count.sql", {"word": word}) == [{"notes": 2}], hint("There are two.")\n',
    '    if sql.rows("count.sql", {"word": word}) != [{"notes": 2}]:\n        raise RuntimeError\n',
)


def test_a_check_that_breaks_is_told_as_broken_and_as_nothing_else(
    prove: Prove, tmp_path: Path
) -> None:
    write_files(tmp_path, {f"{HERE}/test_visible.py": BREAKS})
    line = BREAKS[: BREAKS.index("raise Run")].count("\n") + 1
    broken = f"test_notes_are_counted is broken: test_visible.py, line {line}: RuntimeError"
    proof = prove()
    assert told(proof) == [
        f"starter 01_notes: {broken}",
        f"mistake both: {broken}",
        f"mistake distinct.count.sql: {broken}",
    ]


@pytest.mark.slow
def test_an_exercise_without_a_ledger_of_mutants_is_named(prove: Prove) -> None:
    proof = prove()
    assert (proof.without_ledger, told(proof)) == ((EXERCISE,), [])
    assert prove(**{"mutants.json": "{}"}).without_ledger == ()
