"""A course that is not well formed is refused with the file and the key that are to be mended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.catalog import Course, load_course
from grader.errors import CatalogError
from tests.grader.courses import (
    BEHIND,
    EXERCISE,
    HERE,
    PAGE,
    TOML,
    VISIBLE,
    make_course,
    write_files,
)

CHECK = "from grader.checks import check, hint\n\n\n"


def test_a_whole_course_is_read(tmp_path: Path) -> None:
    course = load_course(make_course(tmp_path))
    exercise = course.exercises[EXERCISE]
    assert (exercise.title, exercise.notebook, exercise.minutes) == ("Notes", "00_start", 5)
    assert (exercise.answer, exercise.given, exercise.module) == (("notes.py",), (), "notes")
    assert exercise.commits
    assert exercise.seconds == 5
    assert [(c.name, c.points, c.visible, c.wants) for c in exercise.checks] == [
        ("test_a_note_is_stored", 2, True, ("student", "db", "data")),
        ("test_notes_are_found", 3, False, ("student", "db", "data")),
    ]
    assert exercise.points == 5
    page = course.misconceptions["in-any-order"]
    assert page.title == "Rows come in the order in which they were stored"
    assert page.hints == ("Which order?", "Look at ORDER BY.", "Add ORDER BY body.")


def test_what_learners_hold_is_a_course_too(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    (tmp_path / "solutions").rename(tmp_path / "elsewhere")
    exercise = load_course(root).exercises[EXERCISE]
    assert exercise.solution_path is None
    assert [c.name for c in exercise.checks] == ["test_a_note_is_stored"]


def test_checks_stand_in_the_order_of_their_file(tmp_path: Path) -> None:
    names = ["test_c", "test_a", "test_b"]
    text = CHECK + "".join(
        f'@check("{name}")\ndef {name}(student):\n    student.call("x")\n\n\n' for name in names
    )
    exercise = load_course(make_course(tmp_path, visible=text)).exercises[EXERCISE]
    assert [c.name for c in exercise.checks][:3] == names


def test_a_course_needs_exercises(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"holds no exercises/ folder"):
        load_course(tmp_path)
    (tmp_path / "exercises" / "Notes").mkdir(parents=True)
    with pytest.raises(CatalogError, match="folders are called like 04_repository"):
        load_course(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "key", "problem"),
    [
        ('title = "Notes"', "", "title", "is missing"),
        ('title = "Notes"', "title = 5", "title", "must be of type string"),
        ('title = "Notes"', 'title = " "', "title", "is empty"),
        ('notebook = "00_start"', "", "notebook", "is missing"),
        ("minutes = 5", "", "minutes", "is missing"),
        ("minutes = 5", "minutes = true", "minutes", "must be of type integer"),
        ("minutes = 5", "minutes = 0", "minutes", "must be greater than 0"),
        ('answer = ["notes.py"]', "", "answer", "is missing"),
        ('answer = ["notes.py"]', "answer = []", "answer", "names no file"),
        ('answer = ["notes.py"]', 'answer = "notes.py"', "answer", "must be of type array"),
        ('answer = ["notes.py"]', "answer = [1]", "answer", "must be a list of strings"),
        ('answer = ["notes.py"]', 'answer = ["../x.py"]', "answer", "files in the exercise's"),
        ('answer = ["notes.py"]', 'answer = [".x"]', "answer", "files in the exercise's"),
        ('answer = ["notes.py"]', 'answer = [""]', "answer", "files in the exercise's"),
        ('answer = ["notes.py"]', 'answer = ["other.py"]', "worker.module", "nor given"),
        ("minutes = 5", 'minutes = 5\ngiven = ["notes.py"]', "given", "notes.py stands in"),
        ("minutes = 5", 'minutes = 5\ngiven = ["models.py"]', "models.py", "is not there"),
        ("minutes = 5", 'minutes = 5\nmutants = ["x.py"]', "mutants", "x.py stands in"),
        ('schema = "schema.sql"', "schema = 1", "schema", "must be of type string"),
        ('schema = "schema.sql"', 'schema = "/etc/x"', "schema", "files in the exercise's"),
        ('schema = "schema.sql"', 'schema = "other.sql"', "other.sql", "is not there"),
        ("[worker]", "[workers]", "workers", "is not known"),
        ('[worker]\nmodule = "notes"\nseconds = 5', "", "worker", "is missing"),
        ('[worker]\nmodule = "notes"\nseconds = 5', "worker = 1", "worker", "type table"),
        ('module = "notes"', "", "worker.module", "is missing"),
        ('module = "notes"', 'module = "other"', "worker.module", "neither answer nor given"),
        ("seconds = 5", 'seconds = "5"', "worker.seconds", "must be of type integer"),
        ("seconds = 5", "seconds = -1", "worker.seconds", "must be greater than 0"),
        ("seconds = 5", 'transaction = "nobody"', "worker.transaction", "caller"),
        ("seconds = 5", 'privileges = "all"', "worker.privileges", "rows"),
        ("seconds = 5", "second = 5", "worker.second", "is not known. Known: module, privileges"),
        ("minutes = 5", "minutes = 5\npoints = 3", "points", "is not known. Known: answer"),
        ("minutes = 5", "minutes = ", "TOML", "not valid TOML"),
    ],
)
def test_a_fault_in_exercise_toml_is_told_by_file_and_key(
    tmp_path: Path, old: str, new: str, key: str, problem: str
) -> None:
    assert old in TOML
    course = load_course(make_course(tmp_path, toml=TOML.replace(old, new)))
    with pytest.raises(CatalogError) as told:
        course.select([EXERCISE])
    assert str(tmp_path / HERE / "exercise.toml") in str(told.value)
    assert key in str(told.value)
    assert problem in str(told.value)


@pytest.mark.parametrize("name", ["exercise.toml", "schema.sql"])
def test_a_file_that_is_not_utf8_is_named(tmp_path: Path, name: str) -> None:
    root = write_files(make_course(tmp_path), {f"{HERE}/{name}": b"-- caf\xe9\n"})
    with pytest.raises(CatalogError, match=f"{name} is not UTF-8 text"):
        load_course(root).select([])


@pytest.mark.parametrize("name", ["exercise.toml", "test_visible.py"])
def test_a_file_that_is_missing_or_a_folder_is_named(tmp_path: Path, name: str) -> None:
    root = make_course(tmp_path)
    (root / HERE / name).unlink()
    with pytest.raises(CatalogError, match=f"{name} is missing"):
        _ = load_course(root).select([])[0].checks
    (root / HERE / name).mkdir()
    with pytest.raises(CatalogError, match=f"{name} cannot be read: Is a directory"):
        _ = load_course(root).select([])[0].checks


def test_a_broken_exercise_stops_only_those_who_ask_for_it(tmp_path: Path) -> None:
    root = write_files(make_course(tmp_path), {"exercises/02_broken/exercise.toml": "title ="})
    course = load_course(root)
    assert [e.name for e in course.select(["01"])] == [EXERCISE]
    for asked in (["02"], ["broken"], ["01", "02"], []):
        with pytest.raises(CatalogError, match=r"02_broken/exercise\.toml is not valid TOML"):
            course.select(asked)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def (", "is not valid Python"),
        ("\0", "is not valid Python"),
        ("import nothing_of_that_name", "cannot be imported: ModuleNotFoundError"),
        ("1 / 0", "cannot be imported: ZeroDivisionError"),
        ("raise SystemExit(0)", "cannot be imported: SystemExit"),
        (CHECK + '@check("T")\ndef looks():\n    pass', "looks is a check: call it test_"),
        ("def test_x(student):\n    pass", "test_x is no check, so it would never run"),
        (CHECK + '@check("T")\ndef test_x(stu):\n    pass', "test_x asks for 'stu'. Instruments"),
        (CHECK + '@check("T")\ndef test_x(*db):\n    pass', "test_x cannot be given '*db'"),
        (CHECK + '@check("T")\ndef test_x(**db):\n    pass', "test_x cannot be given '**db'"),
        (CHECK + '@check("T")\ndef test_x(db, /):\n    pass', "test_x cannot be given 'db'"),
        (CHECK + '@check("T")\nasync def test_x(db):\n    assert 0', "test_x must be an ordinary"),
        (CHECK + '@check("T")\ndef test_x(db):\n    yield', "test_x must be an ordinary function"),
        (CHECK + '@check("")\ndef test_x(db):\n    pass', "test_x has no title"),
        (CHECK + "@check(None)\ndef test_x(db):\n    pass", "test_x has no title"),
        (CHECK + '@check("T", points="2")\ndef test_x(db):\n    pass', "number of points"),
        (CHECK + '@check("T", points=-1)\ndef test_x(db):\n    pass', "number of points"),
        (CHECK + '@check("T", points=True)\ndef test_x(db):\n    pass', "number of points"),
        (CHECK + '@check("T", points=float("nan"))\ndef test_x(db):\n    pass', "number of points"),
        (CHECK + '@check("T", misconception=1)\ndef test_x(db):\n    pass', "misconception"),
        (CHECK + 2 * '@check("T")\ndef test_x(db):\n    pass\n', "two functions are called test_x"),
    ],
)
@pytest.mark.parametrize("place", [f"{HERE}/test_visible.py", f"{BEHIND}/test_hidden.py"])
def test_a_fault_in_a_check_file_is_told_by_file_and_name(
    tmp_path: Path, place: str, text: str, problem: str
) -> None:
    root = write_files(make_course(tmp_path), {place: text})
    [exercise] = load_course(root).select([])
    with pytest.raises(CatalogError) as told:
        _ = exercise.checks
    assert str(root / place) in str(told.value)
    assert problem in str(told.value)


SHARING = (
    CHECK
    + """def twice(word):
    return word + word


@check("Words are doubled")
def test_words(student):
    assert student.call("double", "{word}") == twice("{word}"), hint("Other words.")
"""
)
USING = """from grader.checks import check, hint
from test_visible import test_words, twice

@check("Any word is doubled")
def test_any(student):
    assert student.call("double", "x") == twice("x"), hint("Other words.")
"""


def test_hidden_checks_use_what_the_visible_ones_of_their_exercise_do(tmp_path: Path) -> None:
    exercises = []
    for word in "ab":
        root = tmp_path / word
        root.mkdir()
        visible = SHARING.replace("{word}", word)
        course = load_course(make_course(root, visible=visible, hidden=USING))
        exercises.append(course.exercises[EXERCISE])
    for exercise in exercises:
        one, other = exercise.checks
        assert (one.name, other.name) == ("test_words", "test_any")
        ours = other.function.__globals__["twice"]
        assert ours is one.function.__globals__["twice"]
        assert ours.__code__.co_filename == str(exercise.path / "test_visible.py")
    assert "test_visible" not in sys.modules


def test_what_the_visible_file_does_not_have_is_told(tmp_path: Path) -> None:
    root = make_course(tmp_path, hidden=USING.replace("twice", "thrice"))
    with pytest.raises(
        CatalogError, match=r"test_hidden\.py, line 2 cannot be imported.*test_words"
    ):
        _ = load_course(root).exercises[EXERCISE].checks
    assert "test_visible" not in sys.modules


def test_a_visible_and_a_hidden_check_may_not_share_a_name(tmp_path: Path) -> None:
    [exercise] = load_course(make_course(tmp_path, hidden=VISIBLE)).select([])
    with pytest.raises(CatalogError, match="two checks are called test_a_note_is_stored"):
        _ = exercise.checks


def test_functions_that_are_no_checks_may_stand_in_a_check_file(tmp_path: Path) -> None:
    text = (
        VISIBLE + "\n\ndef driver(session, module):\n    return 1\n\n\ndef _helper():\n    yield\n"
    )
    [exercise] = load_course(make_course(tmp_path, visible=text)).select([])
    assert [c.name for c in exercise.checks if c.visible] == ["test_a_note_is_stored"]


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (PAGE.replace("title", "titel"), "'titel' is not known. Known: hints, notebook, title"),
        (PAGE.replace('title = "Rows', 'notitle = "Rows'), "'notitle' is not known"),
        ("+++\n+++\n", "no end"),
        ("+++\n\n+++\n", "'title' is missing"),
        (PAGE.replace("hints = [", "hints = [1, "), "'hints' must be a list of strings"),
        (PAGE.replace("hints = [", 'hints = "" #'), "'hints' must be of type array"),
        (PAGE.replace("hints = [", "hints = [["), "not valid TOML"),
        (PAGE.replace("+++\nA table", "A table"), "the front matter has no end"),
    ],
)
def test_a_fault_in_a_misconception_page_is_told_by_file_and_key(
    tmp_path: Path, page: str, problem: str
) -> None:
    root = make_course(tmp_path, page=page)
    with pytest.raises(CatalogError) as told:
        load_course(root)
    assert str(root / "docs/misconceptions/in-any-order.md") in str(told.value)
    assert problem in str(told.value)


def test_a_misconception_page_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    root = write_files(make_course(tmp_path), {"docs/misconceptions/x.md": b"+++\n\xff\n+++\n"})
    with pytest.raises(CatalogError, match=r"x\.md is not UTF-8 text"):
        load_course(root)


def test_a_page_without_front_matter_is_a_page_about_the_pages(tmp_path: Path) -> None:
    root = write_files(make_course(tmp_path), {"docs/misconceptions/README.md": "# Pages\n"})
    assert set(load_course(root).misconceptions) == {"in-any-order"}


@pytest.fixture
def three(tmp_path: Path) -> Course:
    root = make_course(tmp_path)
    for name in ("04_repository", "12_repeatable_read"):
        write_files(
            root, {f"exercises/{name}/{file}": text for file, text in _one_of_them().items()}
        )
    return load_course(root)


def _one_of_them() -> dict[str, str]:
    return {"exercise.toml": TOML, "schema.sql": "", "notes.py": "", "test_visible.py": VISIBLE}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([], ["01_notes", "04_repository", "12_repeatable_read"]),
        (["04_repository"], ["04_repository"]),
        (["04"], ["04_repository"]),
        (["4"], ["04_repository"]),
        (["repository"], ["04_repository"]),
        (["exercises/04_repository"], ["04_repository"]),
        (["exercises/04_repository/"], ["04_repository"]),
        (["/somewhere/else/04_repository"], ["04_repository"]),
        (["12", "01"], ["01_notes", "12_repeatable_read"]),
        (["01", "notes", "01_notes"], ["01_notes"]),
    ],
)
def test_exercises_are_selected_by_number_slug_or_path(
    three: Course, asked: list[str], found: list[str]
) -> None:
    assert [e.name for e in three.select(asked)] == found


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("04_repositry", "Did you mean 04_repository"),
        ("repeatable", "Did you mean 12_repeatable_read"),
        ("xyz", "There are: 01_notes, 04_repository, 12_repeatable_read"),
        ("²", "There are: 01_notes"),
        ("", "There is no exercise ''"),
        ("4_", "There is no exercise '4_'"),
    ],
)
def test_an_exercise_that_is_not_there_is_answered_with_those_that_are(
    three: Course, asked: str, told: str
) -> None:
    with pytest.raises(CatalogError) as error:
        three.select([asked])
    assert told in str(error.value)


def test_a_short_name_that_two_exercises_share_is_no_name(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    write_files(root, {f"exercises/01_other/{name}": text for name, text in _one_of_them().items()})
    course = load_course(root)
    with pytest.raises(CatalogError, match="'01' could be 01_notes or 01_other"):
        course.select(["01"])
    assert [e.name for e in course.select(["other"])] == ["01_other"]


@pytest.mark.parametrize(
    "place", [f"{HERE}/exercise.toml", f"{HERE}/test_visible.py", f"{BEHIND}/test_hidden.py"]
)
def test_the_hash_of_an_exercise_changes_with_what_decides_a_grade(
    tmp_path: Path, place: str
) -> None:
    root = make_course(tmp_path)
    before = load_course(root).exercises[EXERCISE].sha256
    assert load_course(root).exercises[EXERCISE].sha256 == before
    with (root / place).open("a") as file:
        file.write("# changed\n")
    assert load_course(root).exercises[EXERCISE].sha256 != before


def test_the_hash_of_an_exercise_does_not_change_with_the_starter(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    before = load_course(root).exercises[EXERCISE].sha256
    (root / HERE / "notes.py").write_text("# my own work\n")
    assert load_course(root).exercises[EXERCISE].sha256 == before


def test_a_python_that_ignores_assertions_is_refused(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from grader.catalog import load_course\n"
        "try: load_course(Path(sys.argv[1]))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    for options, said in (
        ([], ""),
        (["-O"], "CatalogError Checks are assertions, and this Python ignores them."),
        (["-OO"], "CatalogError Checks are assertions"),
    ):
        done = subprocess.run(
            [sys.executable, *options, "-c", program, str(make_course(tmp_path))],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ,
        )
        assert done.stdout.startswith(said)
        assert bool(done.stdout) == bool(said)
