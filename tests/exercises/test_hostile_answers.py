"""Hashes that an answer leaves in the tables cannot keep the judge busy, or take its memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.batch import grade
from grader.results import Outcome

FOR_ALL = "def hash_password(password): return {hash!r}.replace('~', '$' * 1_000_000)\n"
FOR_EACH = """
class Each:
    def __ror__(self, person):
        salt = b64encode(person["email"].ljust(16).encode()).decode().rstrip("=")
        return person | {"password_hash": f"$argon2id$v=19$m=65536,t=20,p=4${salt}$" + "A" * 43}
"""


def hash_of(costs: str) -> str:
    return f"$argon2id$v=19${costs}$c29tZXNhbHQ${'A' * 43}"


@pytest.mark.parametrize(
    ("hashed", "told"),
    [
        (hash_of("m=4194304,t=1,p=4"), "memory: 4,096 MB, rounds: 1, threads: 4, hashes: 1"),
        (hash_of("m=8,t=4000000000,p=1"), "memory: 0 MB, rounds: 4,000,000,000,"),
        (hash_of("m=131072,t=1,p=16384"), "memory: 128 MB, rounds: 1, threads: 16,384"),
        (None, "memory: 64 MB, rounds: 20, threads: 4, hashes: 6"),
        ("$argon2id$v=19$m=8,t=1,p=1,m=4194304$c29tZXNhbHQ$AAAA", "4,096 MB"),
        ("$argon2id$v=19$m=8,t=1,p=1~", "no argon2 hash, or one of something"),
        ("$argon2id$v=19$m=8,t=many,p=1$c29tZXNhbHQ$AAAA", "no argon2 hash, or one of something"),
    ],
    ids=["memory", "rounds", "threads", "many", "twice", "long", "not_a_number"],
)
def test_a_hash_that_nobody_could_wait_for_is_not_computed(
    tmp_path: Path, course_root: Path, home: Path, hashed: str | None, told: str
) -> None:
    solution = (course_root / "solutions" / "15_seeding" / "seeding.py").read_text("utf-8")
    given = "from passwords import hash_password\n"
    used = '    hashed = {"password_hash": hash_password(password)}\n'
    assert given in solution
    assert used in solution
    if hashed is None:
        answer = solution.replace(given, "from base64 import b64encode\n" + FOR_EACH)
        answer = answer.replace(used, "    hashed = Each()\n")
    else:
        answer = solution.replace(given, FOR_ALL.format(hash=hashed))
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "seeding.py").write_text(answer, "utf-8")
    grading = grade(
        [tmp_path / "eve"],
        course_root=course_root,
        home=home,
        database="embedded",
        sandbox="process",
        own_work=True,
        seed=7,
        exercises=["15_seeding"],
    )
    [submission] = grading.submissions
    [check] = [c for e in submission.exercises for c in e.checks if c.name == "test_passwords"]
    assert check.outcome is Outcome.FAILED
    assert check.failure is not None
    assert told in check.failure.actual
