"""Each entry of the page on troubleshooting happens as it says, with the message that it shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from kit import doctor
from pglab.servers.durable import DurableServer
from tests.kit.conftest import Kit, folder_for_servers
from tests.kit.tiny_course import EXERCISE, answer_own, hand_in, make_course

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
ENTRIES = dict(re.findall(r"^### (.+)\n\n> (.+)$", PAGE, re.M))


@dataclass
class Learner:
    """Somebody with a course, a server of their own, and a terminal."""

    kit: Kit
    course: Path
    url: str

    def types(self, *words: str, cwd: Path | None = None, **environment: str) -> str:
        ended = self.kit(*words, cwd=cwd or self.course, **environment)
        assert ended.code != 0, ended.out
        return ended.out + ended.err

    def answers(self, text: bytes) -> None:
        answer_own(self.course, "")
        (self.course / "exercises" / EXERCISE / "greetings.py").write_bytes(text)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with folder_for_servers() as home:
        server = DurableServer(home)
        server.start()
        yield server.admin_url


@pytest.fixture
def learner(kit: Kit, tmp_path: Path, url: str) -> Learner:
    return Learner(kit, make_course(tmp_path / "tiny"), url)


def old_python(learner: Learner) -> str:
    python = learner.course / "python3"
    python.write_text("#!/bin/sh\necho 3.9\nexit 4\n")
    python.chmod(0o755)
    clone = learner.course / "clone"
    clone.mkdir()
    for name in ("Makefile", "bootstrap.sh", "pyproject.toml", "requirements.lock"):
        shutil.copy(PROJECT / name, clone)
    done = subprocess.run(
        ["make", "grade", f"PYTHON={python}"],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done.stderr


def unknown_command(_: Learner) -> str:
    return subprocess.run(
        ["/bin/bash", "-c", "kit check 04"], env={"PATH": "/nonexistent"}, capture_output=True,
        text=True, check=False,
    ).stderr  # fmt: skip


def without_jupyterlab(learner: Learner) -> str:
    program = (
        "import sys; sys.modules['jupyterlab'] = None; sys.argv = ['kit', 'lab'];"
        "from kit.cli import main; sys.exit(main(['lab']))"
    )
    done = learner.kit.run([sys.executable, "-c", program], cwd=learner.course)
    assert done.code == 3
    return done.err


def plain_terminal(_: Learner) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", SimpleNamespace(encoding="ascii"))
        return doctor.look_at_locale({"LANG": "C"}).cure


def proxy(_: Learner) -> str:
    return doctor.look_at_proxy({"https_proxy": "http://proxy.example:3128"}).cure


def no_course(learner: Learner) -> str:
    return learner.types("check", "04", cwd=learner.kit.cwd)


def no_exercise(learner: Learner) -> str:
    return learner.types("check", "99")


def starter(learner: Learner) -> str:
    learner.answers(b"def greet(session, words):\n    raise NotImplementedError\n")
    return learner.types("check", "--all")


def other_encoding(learner: Learner) -> str:
    learner.answers("# café\n".encode("latin-1"))
    return learner.types("check", "--all")


def endless(learner: Learner) -> str:
    with (learner.course / "exercises" / EXERCISE / "exercise.toml").open("a") as settings:
        settings.write("seconds = 1\n")
    learner.answers(b"def greet(session, words):\n    while True:\n        pass\n")
    return learner.types("check", "--all")


def too_early(learner: Learner) -> str:
    return learner.types("hint", "01")


def nobody_listens(learner: Learner) -> str:
    return learner.types("db", "migrate", "--database", "postgresql://a:b@127.0.0.1:1/x")


def wrong_password(learner: Learner) -> str:
    wrong = re.sub(r"(://[^:]+:)[^@]+@", r"\1wrong@", learner.url)
    assert wrong != learner.url
    return learner.types("db", "migrate", "--database", wrong)


def other_version(learner: Learner) -> str:
    with folder_for_servers() as home:
        server = DurableServer(home)
        server.start()
        server.stop()
        (server.data_dir / "PG_VERSION").write_text("14\n")
        return learner.types("db", "up", KIT_HOME=str(home))


def in_one_transaction(learner: Learner, *statements: str) -> str:
    told = []
    with psycopg.connect(learner.url) as connection:
        for statement in statements:
            try:
                connection.execute(statement.encode())
            except psycopg.Error as error:
                told.append(str(error))
        connection.rollback()
    return "\n".join(told)


def no_table(learner: Learner) -> str:
    return in_one_transaction(learner, "SELECT * FROM nothing")


def aborted(learner: Learner) -> str:
    return in_one_transaction(learner, "SELECT 1 / 0", "SELECT 1")


def locked(learner: Learner) -> str:
    with psycopg.connect(learner.url) as other:
        other.execute("CREATE TABLE IF NOT EXISTS held (id int)")
        other.commit()
        other.execute("LOCK TABLE held")
        return in_one_transaction(learner, "SET lock_timeout = '50ms'", "SELECT * FROM held")


def nobody_to_ask(learner: Learner) -> str:
    with folder_for_servers() as home:
        assert learner.kit("db", "up", "--no-seed", KIT_HOME=str(home)).code == 0
        return learner.types("db", "reset", KIT_HOME=str(home))


def no_sandbox(learner: Learner) -> str:
    hand_in(learner.kit.cwd / "class", "ada", "def greet(session, words): pass\n")
    with folder_for_servers() as programs:  # the servers' user runs some of them as well
        for name in ("cp", "sh", "env"):
            found = shutil.which(name)
            assert found, name
            (programs / name).symlink_to(found)
        return learner.types(
            "grade", str(learner.kit.cwd / "class"), "--out", str(learner.kit.cwd / "out"),
            PATH=str(programs), DOCKER_HOST="unix:///nonexistent.sock",
        )  # fmt: skip


def file_for_reports(learner: Learner) -> str:
    hand_in(learner.kit.cwd / "class", "ada", "def greet(session, words): pass\n")
    taken = learner.kit.cwd / "taken"
    taken.touch()
    return learner.types("grade", str(learner.kit.cwd / "class"), "--out", str(taken))


def taken_target(learner: Learner) -> str:
    told = learner.types("release", str(learner.course))
    assert "is there already" in learner.types("init", str(learner.course))
    return told


HAPPENS: dict[str, Callable[[Learner], str]] = {
    "Python is too old": old_python,
    "The shell does not know kit": unknown_command,
    "JupyterLab is missing": without_jupyterlab,
    "Accents come out as question marks or plain letters": plain_terminal,
    "A proxy stands between the browser and the notebook": proxy,
    "There is no course here": no_course,
    "There is no such exercise": no_exercise,
    "Everything fails with NotImplementedError": starter,
    "A file that is not UTF-8": other_encoding,
    "A check is ended after some seconds": endless,
    "There is no hint yet": too_early,
    "No server answers": nobody_listens,
    "The server does not let you in": wrong_password,
    "The data directory is of another version of PostgreSQL": other_version,
    "A table does not exist": no_table,
    "Everything fails after one error": aborted,
    "A cell or a statement waits for ever": locked,
    "A reset that asks nobody": nobody_to_ask,
    "No sandbox works here": no_sandbox,
    "The place for reports is taken": file_for_reports,
    "The bundle for students is there already": taken_target,
}


def test_every_entry_is_reproduced() -> None:
    assert list(ENTRIES) == re.findall(r"^### (.+)$", PAGE, re.M)
    assert ENTRIES.keys() == HAPPENS.keys()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no make and no bash: see the README")
@pytest.mark.parametrize("title", ENTRIES)
def test_it_happens_as_the_page_says(title: str, learner: Learner) -> None:
    told = HAPPENS[title](learner)
    assert " ".join(ENTRIES[title].split()) in " ".join(told.split())
