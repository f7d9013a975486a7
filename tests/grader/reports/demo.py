"""A class as it might really come out: names, points, failures with statements, misconceptions."""

from __future__ import annotations

import random

from grader.results import (
    CheckResult,
    Evidence,
    ExerciseResult,
    Failure,
    Grading,
    Misconception,
    Outcome,
    Reason,
    SentStatement,
    SubmissionResult,
)

NAMES = (
    "ada_lovelace", "Alan Turing", "barbara_liskov", "c.date", "dorothy_vaughan", "edgar_codd",
    "Frances Allen", "grace_hopper", "hedy_lamarr", "ivan_sutherland", "jim_gray", "Karen Jones",
    "leslie_lamport", "margaret_hamilton", "michael_stonebraker", "nguyễn_văn_an", "olga_taussky",
    "Pat Selinger", "quentin", "radia_perlman", "sophie_wilson", "tony_hoare", "uma", "vint_cerf",
    "wanda_orlikowski", "xu_li", "yukihiro", "zoe", "Ольга Ладыженская", "שפרירה גולדווסר",
)  # fmt: skip

MISCONCEPTIONS = {
    "truthy-update": Misconception(
        "truthy-update",
        "“if value:” means “if a value was given”",
        "05_crud",
        ("What is the truth value of an empty string, of 0, of None?", "Look at keys, not values."),
    ),
    "commit-in-loop": Misconception(
        "commit-in-loop",
        "Committing more often is safer",
        "09_transactions",
        ("What is in the table when the third of five inserts fails?",),
    ),
    "n-plus-one": Misconception(
        "n-plus-one",
        "A loop over objects costs one query",
        "07_n_plus_one",
        ("How many statements are sent for ten tracks, and how many for a hundred?",),
    ),
    "offset-is-stable": Misconception(
        "offset-is-stable", "OFFSET remembers where a page ended", "05_crud", ()
    ),
}

EXERCISES = (
    ("04_repository", "A repository for users"),
    ("08_n_plus_one", "One query instead of a hundred"),
    ("09_enrollment", "Enrollment is all or nothing"),
)

TITLES = (
    ("A new user gets an id and both timestamps", 1, True),
    ("A user is found by e-mail, whatever the case", 1, True),
    ("An update can clear a field", 2, True),
    ("An update leaves the other fields alone", 2, True),
    ("A second user with the same e-mail is refused as DuplicateUser", 2, True),
    ("An unknown user is answered with None, not with an error", 1, True),
    ("Deleting a user deletes their progress as well", 2, True),
    ("Pages do not repeat a user when others sign up meanwhile", 3, False),
    ("A listing of 100 users sends as many statements as one of 10", 3, False),
    ("Nothing is saved when the third of five inserts fails", 3, False),
    ("A name with an apostrophe is data, not SQL", 1, False),
    ("Two sign-ups at once leave one user", 2.5, False),
)

UPDATE = Failure(
    Reason.ASSERTION,
    "Setting bio to None left the old text in the row. A caller who sends a field wants it "
    "written, whatever the value is.",
    question="Which values does `if value:` let through, and which would a caller want to save?",
    expected="bio is NULL",
    actual="bio = 'Hello, I am Ada.'",
    misconception="truthy-update",
    statements=(
        SentStatement(
            "SELECT users.id, users.email, users.name, users.bio, users.created_at, "
            "users.updated_at\nFROM users\nWHERE users.id = $1::UUID",
            ("019a7c1e-5b00-7d3e-9f1a-0c8a5f0f3b21",),
        ),
    ),
    statements_total=1,
    location="repository.py:31",
)

LOOP = Failure(
    Reason.ASSERTION,
    "101 statements were sent for 100 tracks: one for the tracks, then one for the lessons of "
    "each. On a server across a network each of them waits for an answer.",
    question="Which statement is sent again and again, and what differs from one time to the next?",
    expected="as many statements for 100 tracks as for 10",
    actual="11 statements for 10 tracks, 101 for 100",
    misconception="n-plus-one",
    statements=(
        SentStatement("SELECT tracks.id, tracks.title FROM tracks ORDER BY tracks.title"),
        *(
            SentStatement(
                "SELECT lessons.id, lessons.title, lessons.minutes FROM lessons "
                "WHERE lessons.track_id = $1::INTEGER",
                (str(i),),
            )
            for i in range(1, 25)
        ),
    ),
    statements_total=101,
)

RAISED = Failure(
    Reason.RAISED,
    "sqlalchemy.exc.IntegrityError: duplicate key value violates unique constraint "
    '"uq_users_email". The exercise asks for DuplicateUser, so that callers need not know the '
    "database.",
    question="Where could an IntegrityError be turned into an error of your own?",
    expected="DuplicateUser",
    actual="IntegrityError",
    statements=(
        SentStatement(
            "INSERT INTO users (email, name) VALUES ($1::VARCHAR, $2::VARCHAR) RETURNING users.id",
            ("'ada@example.org'", "'Ada'"),
            "23505",
        ),
    ),
    statements_total=1,
    traceback=(
        'File "repository.py", line 18, in create_user\n    session.flush()\n'
        "sqlalchemy.exc.IntegrityError: (psycopg.errors.UniqueViolation) duplicate key value"
    ),
    location="repository.py:18",
)

HALF = Failure(
    Reason.ASSERTION,
    "Two lessons were saved before the third failed. Whoever tries again now has them twice.",
    question="What would have to be true of the table at the moment of the error?",
    expected="0 rows in lesson_progress",
    actual="2 rows in lesson_progress",
    misconception="commit-in-loop",
    statements=(
        SentStatement(
            "INSERT INTO lesson_progress (user_id, lesson_id) VALUES ($1, $2)", ("7", "1")
        ),
        SentStatement("COMMIT"),
        SentStatement(
            "INSERT INTO lesson_progress (user_id, lesson_id) VALUES ($1, $2)", ("7", "2")
        ),
        SentStatement("COMMIT"),
        SentStatement(
            "INSERT INTO lesson_progress (user_id, lesson_id) VALUES ($1, $2)", ("7", "3"), "P0001"
        ),
    ),
    statements_total=5,
)

PAGES = Failure(
    Reason.ASSERTION,
    "grace@example.org is on page 1 and again on page 2: a user signed up between the requests.",
    question="What does OFFSET 10 skip, if a row came in before?",
    misconception="offset-is-stable",
)

SYNTAX = Failure(
    Reason.IMPORT,
    "repository.py cannot be imported: '(' was never closed (line 12).",
    traceback='  File "repository.py", line 12\n    user = User(email=email\n               ^',
    location="repository.py:12",
)

KIT = Failure(Reason.KIT, "ServerUnavailable: the server closed the connection unexpectedly")

_FAILURES = (UPDATE, LOOP, RAISED, HALF, PAGES)


def demo_class(
    students: int = 30, exercises: int = 3, checks: int = 12, *, seed: int = 7, named: str = ""
) -> Grading:
    """A class of this size, the same for the same arguments, with one more student if named."""
    rng = random.Random(seed)
    names = sorted(NAMES[:students]) + [f"student_{i:03}" for i in range(students - len(NAMES))]
    names = sorted([*names, named]) if named else names
    titles = [
        EXERCISES[i] if i < len(EXERCISES) else (f"{i + 7:02}_exercise", f"Exercise number {i + 7}")
        for i in range(exercises)
    ]
    submissions = tuple(_submission(name, titles, checks, rng) for name in names)
    seconds = {
        s.student: {
            e.exercise: {c.name: round(rng.expovariate(8), 4) for c in e.checks}
            for e in s.exercises
        }
        for s in submissions
    }
    return Grading(
        course="Data persistence, autumn term",
        evidence=Evidence("0.1.0", seed, "bubblewrap", "embedded", "18.4"),
        submissions=submissions,
        misconceptions=MISCONCEPTIONS,
        timings={
            "started": "2026-03-02T09:00:00+00:00",
            "total_seconds": 12.5,
            "server_seconds": 0.9,
            "checks": students * exercises * checks,
            "by_student": {s.student: 0.5 for s in submissions},
            "by_check": seconds,
        },
    )


def check(
    outcome: Outcome,
    failure: Failure | None = None,
    *,
    name: str = "test_it",
    title: str = "It holds",
    points: float = 1,
    visible: bool = True,
    output: str = "",
) -> CheckResult:
    """One check's result; it earns its points if it passed."""
    earned = points if outcome is Outcome.PASSED else 0
    return CheckResult(name, title, points, earned, outcome, visible, failure, output)


def grading(*checks: CheckResult, student: str = "ada", **fields: object) -> Grading:
    """One submission of one exercise with these checks."""
    exercise = ExerciseResult("04_repository", "A repository for users", checks)
    submission = SubmissionResult(student, (exercise,), **fields)
    evidence = Evidence("0.1.0", 7, "bubblewrap", "embedded", "18.4")
    return Grading("A course", evidence, (submission,), MISCONCEPTIONS)


def _submission(
    student: str, exercises: list[tuple[str, str]], checks: int, rng: random.Random
) -> SubmissionResult:
    skill = rng.betavariate(4, 1.4)
    if student == "quentin":
        return SubmissionResult(student, (), problem="quentin.zip is not a ZIP archive.")
    results = tuple(_exercise(*names, checks, skill, rng) for names in exercises)
    return SubmissionResult(student, results, sha256=f"{rng.getrandbits(256):064x}")


def _exercise(
    name: str, title: str, checks: int, skill: float, rng: random.Random
) -> ExerciseResult:
    handed_in, broken = rng.random() < 0.95, rng.random() < 0.04
    results = []
    for i in range(checks):
        text, points, visible = TITLES[i % len(TITLES)]
        outcome, failure = Outcome.PASSED, None
        if not handed_in:
            outcome, failure = Outcome.FAILED, Failure(Reason.MISSING, "Nothing was handed in.")
        elif broken:
            outcome, failure = Outcome.FAILED, SYNTAX
        elif i == 8 and rng.random() < 0.02:
            outcome, failure = Outcome.ERROR, KIT
        elif rng.random() > skill:
            outcome, failure = Outcome.FAILED, _FAILURES[i * 7 % len(_FAILURES)]
        output = "creating user…\n" if rng.random() < 0.1 else ""
        results.append(
            check(
                outcome,
                failure,
                name=f"test_{i + 1:02}",
                title=text,
                points=points,
                visible=visible,
                output=output,
            )
        )
    return ExerciseResult(name, title, tuple(results), handed_in, "ab" * 32)
