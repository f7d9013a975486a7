"""Whatever lies in a class folder is read safely; nobody's work is lost or stops the others."""

from __future__ import annotations

import io
import os
import socket
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import submissions
from grader.catalog import Exercise, load_course
from grader.errors import SubmissionError
from grader.results import Reason
from grader.sources import folder
from grader.sources.base import MAX_FILE_BYTES
from grader.submissions import Submission, read_submissions
from tests.grader.courses import EXERCISE, TOML, make_class, make_course, write_files

ANSWER = b"def add_note(session, body): ...\n"


@pytest.fixture
def notes(tmp_path: Path) -> Exercise:
    return load_course(make_course(tmp_path / "course")).exercises[EXERCISE]


@pytest.fixture
def tasks(tmp_path: Path) -> Exercise:
    """A second exercise, with two files to hand in and one that is given."""
    toml = TOML.replace('["notes.py"]', '["tasks.py", "tasks.sql"]\ngiven = ["models.py"]')
    folder = "exercises/02_tasks"
    files = {
        f"{folder}/exercise.toml": toml.replace('"notes"', '"tasks"'),
        f"{folder}/schema.sql": "",
        f"{folder}/models.py": "# given\n",
        f"{folder}/test_visible.py": "",
    }
    root = write_files(tmp_path / "course", files)
    return load_course(root).exercises["02_tasks"]


@pytest.fixture
def read(tmp_path: Path, notes: Exercise) -> Callable[..., list[Submission]]:
    """Read a class that is laid out from files by their paths."""

    def read(files: dict[str, bytes | str], *exercises: Exercise) -> list[Submission]:
        (tmp_path / "class").mkdir(exist_ok=True)
        folder = write_files(tmp_path / "class", files)
        return read_submissions([folder], exercises or [notes])

    return read


def one(found: list[Submission]) -> Submission:
    [submission] = found
    return submission


def told(submission: Submission, exercise: str = EXERCISE) -> str:
    assert exercise not in submission.files
    return submission.problems[exercise].message


def test_a_class_has_a_folder_for_each_student(read: Callable[..., list[Submission]]) -> None:
    found = read(
        {
            f"zoe/{EXERCISE}/notes.py": ANSWER,
            "ada/notes.py": ANSWER,
            "bob/README.txt": "I was ill.",
            ".git/config": "",
            "__pycache__/x": "",
            "grades.csv": "",
        }
    )
    assert [s.student for s in found] == ["ada", "bob", "zoe"]
    assert [s.files for s in found] == [
        {EXERCISE: {"notes.py": ANSWER}},
        {},
        {EXERCISE: {"notes.py": ANSWER}},
    ]
    assert [s.problems for s in found] == [{}, {}, {}]


@pytest.mark.parametrize("inside", [f"{EXERCISE}/notes.py", "notes.py"])
def test_a_single_submission_is_a_folder(tmp_path: Path, notes: Exercise, inside: str) -> None:
    folder = write_files(tmp_path / "ada", {inside: ANSWER})
    submission = one(read_submissions([folder], [notes]))
    assert submission.student == "ada"
    assert submission.files == {EXERCISE: {"notes.py": ANSWER}}


def test_a_checkout_of_a_students_repository_is_a_submission(
    tmp_path: Path, notes: Exercise, read: Callable[..., list[Submission]]
) -> None:
    clone = f"ana/exercises/{EXERCISE}"
    files = {f"{clone}/notes.py": ANSWER, "ana/README.md": "", "ana/.git/HEAD": "ref: x\n"}
    assert one(read(files)).files[EXERCISE]["notes.py"] == ANSWER
    single = one(read_submissions([tmp_path / "class" / "ana"], [notes]))
    assert (single.student, single.files[EXERCISE]["notes.py"]) == ("ana", ANSWER)
    (tmp_path / "class" / "ben").mkdir()
    (tmp_path / "class" / "ben" / "exercises").symlink_to(tmp_path / "class" / "ana")
    (tmp_path / "class" / "ana" / EXERCISE).symlink_to(tmp_path / "class" / clone)
    assert {s.student: told(s) for s in read_submissions([tmp_path / "class"], [notes])} == {
        "ana": f"{EXERCISE} is a link. Links are not followed.",
        "ben": "exercises is a link. Links are not followed.",
    }


def test_a_single_file_is_named_after_itself(tmp_path: Path, notes: Exercise) -> None:
    write_files(tmp_path, {"notes.py": ANSWER, "ada.py": ANSWER})
    for name in ("notes", "ada"):
        submission = one(read_submissions([tmp_path / f"{name}.py"], [notes]))
        assert submission.student == name
        assert submission.files == {EXERCISE: {"notes.py": ANSWER}}


def test_a_file_for_each_student_is_a_class_too(read: Callable[..., list[Submission]]) -> None:
    found = read({"ada.py": ANSWER, "bob.py": b"# bob's\n"})
    assert [s.student for s in found] == ["ada", "bob"]
    assert found[1].files == {EXERCISE: {"notes.py": b"# bob's\n"}}


def test_an_answer_left_in_a_class_does_not_hide_the_students(
    read: Callable[..., list[Submission]],
) -> None:
    found = read({"notes.py": ANSWER, f"ada/{EXERCISE}/notes.py": ANSWER, "bob/notes.py": ANSWER})
    assert [s.student for s in found] == ["ada", "bob"]


def test_a_file_that_could_answer_several_exercises_says_so(
    read: Callable[..., list[Submission]], notes: Exercise, tasks: Exercise
) -> None:
    submission = one(read({"ada.py": ANSWER}, notes, tasks))
    assert "It cannot be told what ada.py answers" in told(submission)
    assert "Hand it in as 02_tasks/tasks.py" in told(submission, "02_tasks")


def test_a_notebook_in_a_students_place_is_not_lost(read: Callable[..., list[Submission]]) -> None:
    assert told(one(read({"ada.ipynb": b"{}"}))) == "ada.ipynb is not a notebook that can be read."


def test_several_classes_are_read_together(tmp_path: Path, notes: Exercise) -> None:
    first = make_class(tmp_path / "first", {"bob": ANSWER})
    second = make_class(tmp_path / "second", {"ada": ANSWER})
    assert [s.student for s in read_submissions([first, second], [notes])] == ["ada", "bob"]


@pytest.mark.parametrize("name", ["ada.zip", "ada.tar", "ada.tar.gz", "ada.tgz", "ada.ipynb"])
def test_a_file_is_its_students_by_its_name(
    read: Callable[..., list[Submission]], name: str
) -> None:
    assert one(read({name: b""})).student == "ada"


def test_two_submissions_of_the_same_name_are_refused(tmp_path: Path, notes: Exercise) -> None:
    first = make_class(tmp_path / "first", {"bob": ANSWER})
    second = make_class(tmp_path / "second", {"bob": ANSWER})
    with pytest.raises(SubmissionError, match="Two submissions are called 'bob'"):
        read_submissions([first, second], [notes])


def test_a_path_that_is_not_there_is_named(tmp_path: Path, notes: Exercise) -> None:
    with pytest.raises(SubmissionError, match=r"nobody is not there\."):
        read_submissions([tmp_path / "nobody"], [notes])


def test_an_empty_class_is_refused(tmp_path: Path, notes: Exercise) -> None:
    write_files(tmp_path, {"class/README.md": "nothing here"})
    with pytest.raises(SubmissionError, match="one folder per student, each with folders like 01"):
        read_submissions([tmp_path / "class"], [notes])


def test_a_file_of_another_kind_is_no_submission(tmp_path: Path, notes: Exercise) -> None:
    write_files(tmp_path, {"grades.csv": "a,b"})
    with pytest.raises(SubmissionError, match=r"grades\.csv is no submission"):
        read_submissions([tmp_path / "grades.csv"], [notes])


def test_a_class_that_cannot_be_listed_is_named(
    tmp_path: Path, notes: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(SubmissionError, match="class cannot be read: Permission denied"):
        read_submissions([make_class(tmp_path / "class", {"ada": ANSWER})], [notes])


def test_a_students_folder_that_cannot_be_listed_is_their_problem_alone(
    read: Callable[..., list[Submission]], monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = os.scandir

    def refuse(path: Path) -> object:
        if "bob" in str(path):
            raise PermissionError(13, "Permission denied")
        return listing(path)

    monkeypatch.setattr(folder.os, "scandir", refuse)
    ada, bob = read({f"ada/{EXERCISE}/notes.py": ANSWER, f"bob/{EXERCISE}/notes.py": ANSWER})
    assert ada.files == {EXERCISE: {"notes.py": ANSWER}}
    assert told(bob) == "The folder cannot be read: Permission denied."


def test_an_empty_folder_is_nothing_handed_in(
    read: Callable[..., list[Submission]], tmp_path: Path
) -> None:
    (tmp_path / "class" / "ada" / EXERCISE).mkdir(parents=True)
    submission = one(read({f"ada/{EXERCISE}/README.md": ""}))
    assert (submission.files, submission.problems) == ({}, {})


def test_an_answer_under_another_name_is_missed_by_name(
    read: Callable[..., list[Submission]],
) -> None:
    submission = one(read({f"ada/{EXERCISE}/note.py": ANSWER}))
    assert told(submission) == "There is no notes.py among the files."
    assert submission.problems[EXERCISE].reason is Reason.MISSING


def test_one_of_two_answers_that_is_missing_is_named(
    read: Callable[..., list[Submission]], tasks: Exercise
) -> None:
    submission = one(read({"ada/02_tasks/tasks.py": ANSWER}, tasks))
    assert told(submission, "02_tasks") == "There is no tasks.sql among the files."


def test_only_what_an_exercise_asks_for_is_taken(
    read: Callable[..., list[Submission]], tasks: Exercise
) -> None:
    names = [
        *("tasks.py", "tasks.sql", "own.py", "own.sql", "models.py", "conftest.py", "test_own.py"),
        *("pytest.ini", "setup.cfg", "own.pth", "own.so", "data.bin", "__pycache__/own.pyc"),
    ]
    submission = one(read({f"ada/02_tasks/{name}": b"" for name in names}, tasks))
    assert set(submission.files["02_tasks"]) == {"tasks.py", "tasks.sql", "own.py", "own.sql"}


def test_a_file_that_is_not_utf8_is_named(read: Callable[..., list[Submission]]) -> None:
    submission = one(read({f"ada/{EXERCISE}/notes.py": "# café\n".encode("latin-1")}))
    assert told(submission) == (
        "notes.py is not UTF-8 text. Save it as UTF-8 and hand it in again."
    )


def test_an_empty_answer_is_handed_in(read: Callable[..., list[Submission]]) -> None:
    assert one(read({f"ada/{EXERCISE}/notes.py": b""})).files == {EXERCISE: {"notes.py": b""}}


def test_a_link_in_an_answers_place_is_not_followed(
    read: Callable[..., list[Submission]], tmp_path: Path
) -> None:
    write_files(tmp_path, {"secret.py": b"SECRET = 1\n", f"class/ada/{EXERCISE}/x.py": b""})
    for target in (tmp_path / "secret.py", tmp_path / "nothing", Path("/dev/zero")):
        link = tmp_path / "class" / "ada" / EXERCISE / "notes.py"
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        assert told(one(read({}))) == "notes.py is a link. Links are not followed."


def test_other_files_that_are_links_are_left_out(
    read: Callable[..., list[Submission]], tmp_path: Path
) -> None:
    write_files(tmp_path, {"secret.py": b"SECRET = 1\n", f"class/ada/{EXERCISE}/notes.py": ANSWER})
    (tmp_path / "class" / "ada" / EXERCISE / "more.py").symlink_to(tmp_path / "secret.py")
    assert one(read({})).files == {EXERCISE: {"notes.py": ANSWER}}


def test_a_link_in_an_exercises_place_is_not_followed(
    read: Callable[..., list[Submission]], tmp_path: Path
) -> None:
    write_files(tmp_path, {"elsewhere/notes.py": ANSWER, "class/ada/README.md": ""})
    (tmp_path / "class" / "ada" / EXERCISE).symlink_to(tmp_path / "elsewhere")
    assert told(one(read({}))) == f"{EXERCISE} is a link. Links are not followed."


def test_a_link_in_a_students_place_is_not_followed(
    read: Callable[..., list[Submission]], tmp_path: Path
) -> None:
    """Two students whose folders are one would both be graded for it, or neither."""
    make_class(tmp_path / "class", {"bob": ANSWER})
    (tmp_path / "class" / "ada").symlink_to(tmp_path / "class" / "bob")
    (tmp_path / "class" / "eve.py").symlink_to(tmp_path / "class" / "bob" / EXERCISE / "notes.py")
    ada, bob, eve = read({})
    assert [s.student for s in (ada, bob, eve)] == ["ada", "bob", "eve.py"]
    assert told(ada) == told(eve) == "It is a link. Links are not followed."
    assert bob.files == {EXERCISE: {"notes.py": ANSWER}}


def test_a_link_that_the_instructor_names_is_followed(tmp_path: Path, notes: Exercise) -> None:
    make_class(tmp_path / "2026", {"ada": ANSWER})
    (tmp_path / "current").symlink_to(tmp_path / "2026")
    (tmp_path / "latest").symlink_to(tmp_path / "2026" / "ada")
    assert one(read_submissions([tmp_path / "current"], [notes])).student == "ada"
    named = one(read_submissions([tmp_path / "latest"], [notes]))
    assert named.student == "latest"
    assert named.files == {EXERCISE: {"notes.py": ANSWER}}


def test_the_current_folder_is_named_after_itself(
    tmp_path: Path, notes: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make_class(tmp_path / "class", {"ada": ANSWER}) / "ada")
    assert one(read_submissions([Path()], [notes])).student == "ada"
    assert one(read_submissions([Path("../ada")], [notes])).student == "ada"


def test_a_pipe_a_socket_or_a_folder_in_an_answers_place_is_refused(
    read: Callable[..., list[Submission]], tmp_path: Path
) -> None:
    make_class(tmp_path / "class", dict.fromkeys(("fifo", "folder", "socket"), ANSWER))
    places = {
        kind: tmp_path / "class" / kind / EXERCISE / "notes.py"
        for kind in ("fifo", "folder", "socket")
    }
    for place in places.values():
        place.unlink()
    os.mkfifo(places["fifo"])
    places["folder"].mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(places["socket"]))
        fifo, folder, special = read({})
    assert told(fifo) == told(folder) == "notes.py is not an ordinary file."
    assert told(special).startswith("notes.py cannot be read: No such device or address")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device")
def test_a_device_in_an_answers_place_is_refused(
    read: Callable[..., list[Submission]], tmp_path: Path
) -> None:
    folder = tmp_path / "class" / "ada" / EXERCISE
    folder.mkdir(parents=True)
    os.mknod(folder / "notes.py", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    assert told(one(read({}))) == "notes.py is not an ordinary file."


def test_a_huge_file_is_refused_without_being_read(
    read: Callable[..., list[Submission]], tmp_path: Path
) -> None:
    folder = tmp_path / "class" / "ada" / EXERCISE
    folder.mkdir(parents=True)
    with (folder / "notes.py").open("wb") as file:
        file.truncate(1 << 40)
    assert told(one(read({}))) == "notes.py is larger than 512 KB."


def test_a_file_of_exactly_the_limit_is_taken(read: Callable[..., list[Submission]]) -> None:
    limit = MAX_FILE_BYTES
    ada, bob = read(
        {f"ada/{EXERCISE}/notes.py": b"#" * limit, f"bob/{EXERCISE}/notes.py": b"#" * (limit + 1)}
    )
    assert len(ada.files[EXERCISE]["notes.py"]) == limit
    assert told(bob) == "notes.py is larger than 512 KB."


def test_files_that_are_too_large_together_are_refused(
    read: Callable[..., list[Submission]],
) -> None:
    """They go into the sandbox in one message, which has a limit of its own."""
    names = ["notes.py", *(f"part{i}.py" for i in range(10))]
    submission = one(read({f"ada/{EXERCISE}/{name}": b"#" * 500_000 for name in names}))
    assert told(submission) == f"More than 4 MB were handed in for {EXERCISE}."


def test_thousands_of_files_are_refused_without_being_read(
    read: Callable[..., list[Submission]], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(folder, "read_regular", lambda path: opened.append(path) or b"")
    files = {
        f"ada/{EXERCISE}/{name}": b"" for name in ["notes.py", *(f"x{i}.py" for i in range(1000))]
    }
    assert told(one(read(files))) == f"More than 64 files were handed in for {EXERCISE}."
    assert len(opened) <= submissions.MAX_FILES


def test_thousands_of_files_of_other_kinds_do_not_matter(
    read: Callable[..., list[Submission]],
) -> None:
    files = {f"ada/{EXERCISE}/{i}.dat": b"" for i in range(1000)}
    assert one(read({**files, f"ada/{EXERCISE}/notes.py": ANSWER})).files == {
        EXERCISE: {"notes.py": ANSWER}
    }


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"new\nline", r"new\nline"),
        (b"\x1b[31mred", r"\x1b[31mred"),
        (b"caf\xe9", r"caf\udce9"),
        ("right\u202eleft".encode(), r"right\u202eleft"),
        (b"back\\slash", r"back\\slash"),
        (b"\x01", r"\x01"),
        ("Zoë Ångström".encode(), "Zoë Ångström"),
        (b"x" * 255, "x" * 255),
    ],
)
def test_odd_names_are_spelled_out(
    read: Callable[..., list[Submission]], tmp_path: Path, name: bytes, shown: str
) -> None:
    folder = os.path.join(os.fsencode(tmp_path), b"class", name, EXERCISE.encode())
    os.makedirs(folder)
    with open(os.path.join(folder, b"notes.py"), "wb") as file:
        file.write(ANSWER)
    submission = one(read({}))
    assert submission.student == shown
    assert submission.files == {EXERCISE: {"notes.py": ANSWER}}


def test_names_that_differ_in_odd_characters_alone_stay_different(
    read: Callable[..., list[Submission]], tmp_path: Path
) -> None:
    names = ["ada", "ada\x01", "ada\u202e", "ada\\x01", "a" * 200 + "1", "a" * 200 + "2"]
    found = read({f"{name}/{EXERCISE}/notes.py": ANSWER for name in names})
    assert len({s.student for s in found}) == len(names)


def test_files_with_odd_names_are_taken(read: Callable[..., list[Submission]]) -> None:
    odd = os.fsdecode(b"a\n\xff.py")
    submission = one(read({f"ada/{EXERCISE}/notes.py": ANSWER, f"ada/{EXERCISE}/{odd}": b""}))
    assert set(submission.files[EXERCISE]) == {"notes.py", odd}
    assert len(submission.sha256) == 64


def test_the_hash_stands_for_the_files_that_were_taken(
    read: Callable[..., list[Submission]],
) -> None:
    first = one(read({f"ada/{EXERCISE}/notes.py": ANSWER})).sha256
    assert one(read({f"ada/{EXERCISE}/README.md": "other"})).sha256 == first
    assert one(read({f"ada/{EXERCISE}/more.py": b""})).sha256 != first
    assert one(read({f"ada/{EXERCISE}/notes.py": ANSWER + b"\n"})).sha256 != first


def test_the_hash_tells_where_one_file_ends_and_the_next_begins() -> None:
    pair = [{"a.py": b"1", "b.py": b"2"}, {"a.py": b"1" + b"01_notes/b.py\x001\x002"}]
    hashes = {Submission("ada", {EXERCISE: files}).sha256 for files in pair}
    assert len(hashes) == 2


def zipped(files: dict[str, bytes], *, mode: int = 0o644) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "notes.py",
        f"{EXERCISE}/notes.py",
        f"ada-main/{EXERCISE}/notes.py",
        f"./{EXERCISE}/notes.py",
        f"{EXERCISE}\\notes.py",
    ],
)
def test_an_archive_stands_for_a_students_folder(
    read: Callable[..., list[Submission]], name: str
) -> None:
    beside = {"__MACOSX/._notes.py": b"\xff", ".git/notes.py": b""}
    submission = one(read({"ada.zip": zipped({name: ANSWER, **beside})}))
    assert submission.student == "ada"
    assert submission.files == {EXERCISE: {"notes.py": ANSWER}}


def test_an_archive_of_something_else_is_nothing_handed_in(
    read: Callable[..., list[Submission]],
) -> None:
    submission = one(read({"ada.zip": zipped({"essay.txt": b"..."})}))
    assert (submission.files, submission.problems) == ({}, {})


@pytest.mark.parametrize(
    "name",
    ["../notes.py", f"../{EXERCISE}/notes.py", f"/{EXERCISE}/../../notes.py", "C:\\..\\notes.py"],
)
def test_a_path_that_leads_out_of_an_archive_leads_nowhere(
    read: Callable[..., list[Submission]], tmp_path: Path, name: str
) -> None:
    before = {path for path in tmp_path.rglob("*") if "class" not in path.parts}
    submission = one(read({"ada.zip": zipped({name: ANSWER})}))
    assert submission.files == {}
    assert {path for path in tmp_path.rglob("*") if "class" not in path.parts} == before


def test_a_zip_bomb_is_read_no_further_than_a_file_may_be_long(
    read: Callable[..., list[Submission]],
) -> None:
    bomb = zipped({"notes.py": b"#" * (50 * 1024 * 1024)})
    assert len(bomb) < 1_000_000
    assert told(one(read({"ada.zip": bomb}))) == "notes.py is larger than 512 KB."


def test_an_archive_that_lies_about_its_sizes_is_read_no_further(
    read: Callable[..., list[Submission]],
) -> None:
    honest = zipped({"notes.py": b"#" * 1_000_000})
    lying = honest.replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != honest
    assert one(read({"ada.zip": lying})).files == {}


def test_a_link_in_an_archive_is_refused(read: Callable[..., list[Submission]]) -> None:
    link = zipped({"notes.py": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777)
    assert told(one(read({"ada.zip": link}))) == "notes.py is a link. Links are not followed."


def test_an_encrypted_file_is_refused(read: Callable[..., list[Submission]]) -> None:
    archive = bytearray(zipped({"notes.py": ANSWER}))
    archive[6] |= 1
    archive[archive.index(b"PK\x01\x02") + 8] |= 1
    assert told(one(read({"ada.zip": bytes(archive)}))) == "notes.py is encrypted."


@pytest.mark.parametrize(
    "content",
    [b"", b"PK", b"no archive", zipped({"notes.py": ANSWER})[:-30], b"\0" * 100],
    ids=["empty", "short", "text", "cut", "zeros"],
)
def test_a_damaged_archive_is_its_students_problem_alone(
    read: Callable[..., list[Submission]], content: bytes
) -> None:
    ada, bob = read({"ada.zip": content, "bob/notes.py": ANSWER})
    assert told(ada) == "ada.zip is not a zip archive that can be read."
    assert bob.files == {EXERCISE: {"notes.py": ANSWER}}


def test_what_nobody_foresaw_is_an_error_of_the_kit_and_no_other_students(
    read: Callable[..., list[Submission]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise IndexError("string index out of range")

    monkeypatch.setattr(submissions.Archive, "files", breaks)
    ada, bob = read({"ada.zip": zipped({"notes.py": ANSWER}), "bob/notes.py": ANSWER})
    assert told(ada) == "It could not be read: IndexError: string index out of range"
    assert ada.problems[EXERCISE].reason is Reason.KIT
    assert bob.files == {EXERCISE: {"notes.py": ANSWER}}


def test_a_file_that_is_damaged_in_its_archive_is_refused(
    read: Callable[..., list[Submission]],
) -> None:
    archive = bytearray(zipped({"notes.py": ANSWER * 50}))
    archive[50] ^= 0xFF
    assert "the archive is damaged" in told(one(read({"ada.zip": bytes(archive)})))


def test_an_archive_with_two_answers_is_refused(read: Callable[..., list[Submission]]) -> None:
    archive = zipped({"first/notes.py": b"1", "second/notes.py": b"2"})
    assert told(one(read({"ada.zip": archive}))) == (
        f"{EXERCISE} is in the archive more than once: first and second."
    )


def test_a_huge_archive_is_refused_without_being_read(
    read: Callable[..., list[Submission]], tmp_path: Path
) -> None:
    (tmp_path / "class").mkdir()
    with (tmp_path / "class" / "ada.zip").open("wb") as file:
        file.truncate(1 << 40)
    assert told(one(read({}))) == "ada.zip is larger than 8192 KB."
