"""What the director's figures must be. Your grader runs more checks than these."""

import math
from datetime import UTC, datetime
from decimal import Decimal

from grader.checks import check, hint

PROGRESS = ("track", "lessons", "completed", "minutes", "percent", "score")
POPULAR = ("rank", "title", "learners", "completed", "revenue")
MONTHS = ("month", "payments", "revenue", "average", "share")
NAMES = "January February March April May June July August September October November December"
THEN = datetime(2025, 5, 15, 12, tzinfo=UTC)


def rows_of(answer, columns, report):
    """The rows of a report, if they have the columns that the README names."""
    shaped = isinstance(answer, list) and all(
        isinstance(row, dict) and set(columns) <= row.keys() for row in answer
    )
    assert shaped, hint(
        f"{report} should give rows with {', '.join(columns)}.",
        question="How are the columns called in the README?",
        misconception="",
        actual=answer,
    )
    return answer


def is_number(value):
    """Whether it is a number that can be computed with."""
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < 10**15
    return isinstance(value, float | Decimal) and math.isfinite(value)


def same(value, wanted):
    """Whether two values are equal, numbers to two digits."""
    if not is_number(wanted):
        return value == wanted
    return is_number(value) and abs(float(value) - float(wanted)) < 0.01


def cut_off(pairs):
    """Whether numbers lost what stands after their point, or were 0 before they became percents.

    Args:
        pairs: each value with the one that it should be.
    """
    wrong = [(value, wanted) for value, wanted in pairs if not same(value, wanted)]
    return bool(wrong) and all(
        is_number(value) and value in (0, math.floor(wanted)) for value, wanted in wrong
    )


def first_difference(rows, wanted):
    """The first row that differs, as it should be, as it is, and by which column; or None."""
    for name in wanted[0]:
        for row, right in zip(rows, wanted, strict=True):
            if not same(row[name], right[name]):
                return right, {key: row[key] for key in right}, name
    return None


def told(row):
    return ", ".join(f"{key} = {text(value)}" for key, value in row.items())


def text(value):
    """A value as it is said in a sentence."""
    if is_number(value) and value != int(value):
        return f"{value:.2f}"
    return "NULL" if value is None else str(int(value) if is_number(value) else value)


def some_users(db, data, number):
    return db.insert("users", *({"name": data.name()} for _ in range(number)))


def some_tracks(db, data, *lessons):
    """A track for each number, with so many lessons: each as its row and those of its lessons."""
    tracks = db.insert("tracks", *({"title": data.word(4).capitalize()} for _ in lessons))
    return [
        (
            track,
            db.insert(
                "lessons",
                *(
                    {"track_id": track["id"], "position": n, "minutes": data.number(5, 60)}
                    for n in range(1, number + 1)
                ),
            ),
        )
        for track, number in zip(tracks, lessons, strict=True)
    ]


def enroll(db, track, users):
    db.insert("enrollments", *({"user_id": u["id"], "track_id": track["id"]} for u in users))


def open_lessons(db, user, lessons, *, completed, scores=()):
    """Store that the user has opened all these lessons, and completed the first ones."""
    rows = [
        {"user_id": user["id"], "lesson_id": lesson["id"], "is_completed": n < completed}
        for n, lesson in enumerate(lessons)
    ]
    for row, score in zip(rows, scores, strict=False):
        row["score"] = score
    db.insert("lesson_progress", *rows)


def payment(user, track, cents, *, status="paid", when=THEN):
    who = {"user_id": user["id"], "track_id": track["id"]}
    return who | {"amount_cents": cents, "status": status, "paid_at": when}


@check("A user's tracks show their lessons, the completed ones, and their minutes", points=2)
def test_lessons_of_a_user(student, db, statements, data):
    [user] = some_users(db, data, 1)
    tracks = some_tracks(db, data, 4, 5, 6, 3)
    wanted = []
    for completed, (track, lessons) in enumerate(tracks[:3], start=1):
        enroll(db, track, [user])
        open_lessons(db, user, lessons, completed=completed)
        minutes = sum(lesson["minutes"] for lesson in lessons[:completed])
        wanted.append({"track": track["title"], "lessons": len(lessons), "completed": completed})
        wanted[-1]["minutes"] = minutes
    rows = rows_of(student.call("user_progress", user["id"]), PROGRESS, "user_progress")
    titles = [row["track"] for row in rows]
    assert titles == [row["track"] for row in wanted], hint(
        "The user is enrolled in three of four tracks. user_progress should list these three, in"
        " the order of their ids.",
        question="Which rows does a track need, to be in the report?",
        expected=[row["track"] for row in wanted],
        actual=titles,
        show=statements.last,
    )
    opened = all(row["completed"] == row["lessons"] for row in rows)
    for right, row in zip(wanted, rows, strict=True):
        assert same(row["completed"], right["completed"]), hint(
            f"In {right['track']} the user has opened {right['lessons']} lessons and completed"
            f" {right['completed']} of them. The report says that {text(row['completed'])} are"
            " completed.",
            question="What is in is_completed for the lessons that are not completed?",
            misconception="count-of-booleans" if opened else "",
            expected=right["completed"],
            actual=row["completed"],
            show=statements.last,
        )
    differ = first_difference(rows, wanted)
    assert differ is None, hint(
        f"In {differ[0]['track']} the {differ[2]} are not what was stored.",
        question="Which lessons belong to this number, and how often does each of them?",
        expected=told(differ[0]),
        actual=told(differ[1]),
        show=statements.last,
    )


@check(
    "The percentage is exact, and the score is the average of the scores that there are", points=2
)
def test_percent_and_score(student, db, statements, data):
    [user] = some_users(db, data, 1)
    high, low, one = data.number(70, 99), data.number(11, 49), data.number(30, 99)
    given = ((1, [high, None, 0]), (2, [low, high, None]), (3, [None, one, *[None] * 5]))
    scores_in = {}
    tracks = some_tracks(db, data, *(len(scores) for _, scores in given))
    for (track, lessons), (completed, scores) in zip(tracks, given, strict=True):
        enroll(db, track, [user])
        open_lessons(db, user, lessons, completed=completed, scores=scores)
        scores_in[track["title"]] = scores
    rows = rows_of(student.call("user_progress", user["id"]), PROGRESS, "user_progress")
    assert sorted(str(row["track"]) for row in rows) == sorted(scores_in), hint(
        "The user is enrolled in three tracks, and user_progress does not list just them.",
        question="Which rows does a track need, to be in the report?",
        expected=sorted(scores_in),
        actual=[row["track"] for row in rows],
        show=statements.last,
    )
    for row in rows:
        counted = is_number(row["completed"]) and is_number(row["lessons"]) and row["lessons"]
        assert counted, hint("A track has lessons, and the row should say how many.", actual=row)
    shares = [100 * row["completed"] / row["lessons"] for row in rows]
    cut = cut_off([(row["percent"], share) for row, share in zip(rows, shares, strict=True)])
    for row, share in zip(rows, shares, strict=True):
        assert same(row["percent"], share), hint(
            f"{row['completed']} of {row['lessons']} lessons are {share:.2f} percent. The report"
            f" says {text(row['percent'])}.",
            question="What is 1 / 3 in PostgreSQL, and of which type is it?"
            if cut
            else "Of what is it the part, of what the whole, and how many digits are asked for?",
            misconception="integer-division" if cut else "",
            expected=f"{share:.2f}",
            actual=text(row["percent"]),
            show=statements.last,
        )
    for row in rows:
        scores = scores_in[row["track"]]
        known = [score for score in scores if score is not None]
        average = sum(known) / len(known)
        as_zeros = same(row["score"], sum(known) / len(scores))
        assert same(row["score"], average), hint(
            f"The user has opened {len(scores)} lessons. Assessed were {len(known)} of them, with"
            f" {' and '.join(map(str, known))}, and the report says {text(row['score'])} on average"
            + (": as if whatever was not assessed had been failed." if as_zeros else "."),
            question="By what is the sum of the scores divided: by the lessons, or by the scores?"
            if as_zeros
            else "Which scores go into this average? Is 0 one of them?",
            misconception="null-is-zero" if as_zeros else "",
            expected=f"{average:.2f}",
            actual=text(row["score"]),
            show=statements.last,
        )


def figures(row):
    return (
        f"{text(row['learners'])} learners, {text(row['completed'])} completed lessons and"
        f" {text(row['revenue'])} euros"
    )


def multiplied(row, wanted):
    """Whether a figure of the row is a multiple of what it should be."""
    return any(
        is_number(row[name]) and row[name] > wanted[name] and row[name] % wanted[name] == 0
        for name in ("learners", "completed", "revenue")
    )


@check("Learners, completed lessons and revenue of a track are each counted once", points=2)
def test_each_is_counted_once(sql, db, data):
    users = some_users(db, data, 7)
    wanted, opened = {}, {}
    for number, (track, lessons) in enumerate(some_tracks(db, data, 3, 4, 5), start=3):
        enroll(db, track, users[:number])
        for user in users[:number]:
            open_lessons(db, user, lessons[:2], completed=1)
        euros = data.rng.sample(range(20, 99), number - 1)
        db.insert(
            "payments",
            *(payment(u, track, 100 * e) for u, e in zip(users, euros, strict=False)),
            payment(users[0], track, 100 * data.number(20, 99), status="refunded"),
        )
        figures_of = {"learners": number, "completed": number, "revenue": sum(euros)}
        wanted[track["title"]] = {"title": track["title"]} | figures_of
        opened[track["title"]] = 2 * number
    rows = rows_of(sql.rows("popular_tracks.sql"), POPULAR, "popular_tracks.sql")
    assert sorted(str(row["title"]) for row in rows) == sorted(wanted), hint(
        "Three tracks are published. The report should have a row for each of them, and one only.",
        question="By what are the rows grouped?",
        expected=sorted(wanted),
        actual=[row["title"] for row in rows],
    )
    booleans = {row["title"]: row["completed"] for row in rows} == opened
    for row in rows:
        right = wanted[row["title"]]
        many = multiplied(row, right) and not booleans
        assert first_difference([row], [right]) is None, hint(
            f"{row['title']} has {figures(right)} paid for it. The report says {figures(row)}."
            + (" Each of them was there only once." if many else ""),
            question="If 3 enrollments and 2 payments are joined to a track, how many rows does the"
            " track have then?"
            if many
            else "What is in is_completed for the lessons that are not completed?"
            if booleans
            else "Which rows go into each of these numbers, and which of them belong there?",
            misconception="fan-out" if many else "count-of-booleans" if booleans else "",
            expected=told(right),
            actual=told({name: row[name] for name in right}),
        )


@check(
    "Tracks with equally many learners share a rank, and stand in the order of their ids", points=2
)
def test_ranks(sql, db, data):
    users = some_users(db, data, 5)
    numbers = [5, 3, 3, 3, 1, 1]
    data.rng.shuffle(numbers)
    wanted = []
    for number, (track, lessons) in zip(numbers, some_tracks(db, data, *[1] * 6), strict=True):
        enroll(db, track, data.rng.sample(users, number))
        open_lessons(db, users[0], lessons, completed=1)
        db.insert("payments", payment(users[0], track, 100 * data.number(20, 90)))
        rank = 1 + len([other for other in numbers if other > number])
        wanted.append({"rank": rank, "title": track["title"]})
    wanted.sort(key=lambda row: row["rank"])  # stays in the order of the ids where that is equal
    rows = rows_of(sql.rows("popular_tracks.sql"), POPULAR, "popular_tracks.sql")
    ranks = [row["rank"] for row in rows]
    numbered = ranks == [1, 2, 3, 4, 5, 6]
    assert ranks == [row["rank"] for row in wanted], hint(
        "Six tracks have 5, 3, 3, 3, 1 and 1 learners, and the report gives them the ranks"
        f" {', '.join(map(text, ranks))}."
        + (
            " Three tracks are equally popular, and one of them comes out as the best."
            if numbered
            else ""
        ),
        question="What decides which of the three comes first?"
        if numbered
        else "Which places are taken up by the three that share one?",
        misconception="row-number-is-a-rank" if numbered else "",
        expected=[row["rank"] for row in wanted],
        actual=ranks,
    )
    titles = [row["title"] for row in rows]
    assert titles == [row["title"] for row in wanted], hint(
        "The ranks are right, and the tracks stand in another order than README says: by rank, and"
        " by the track's id where that is equal.",
        question="What is the order of rows that are equal in everything that you sort by?",
        expected=[row["title"] for row in wanted],
        actual=titles,
    )


def middle_of(year, month, day):
    return datetime(year, month, day, 12, tzinfo=UTC)


@check("Each month has its payments, their sum and average to the cent, and its share", points=2)
def test_twelve_months(sql, db, data):
    [user] = some_users(db, data, 1)
    [(track, _)] = some_tracks(db, data, 0)
    year = data.number(2021, 2029)
    cents = [[100 * data.number(20, 90) + 37 for _ in range(data.number(2, 3))] for _ in range(12)]
    db.insert(
        "payments",
        *(
            payment(user, track, amount, when=middle_of(year, month, data.number(5, 25)))
            for month, amounts in enumerate(cents, start=1)
            for amount in amounts
        ),
        *(
            payment(user, track, 100 * data.number(20, 90), when=middle_of(y, 6, 15), status=status)
            for y, status in (
                (year, "refunded"),
                (year, "pending"),
                (year - 1, "paid"),
                (year + 1, "paid"),
            )
        ),
    )
    rows = rows_of(sql.rows("revenue_by_month.sql", {"year": year}), MONTHS, "revenue_by_month.sql")
    wanted = [
        {
            "month": month,
            "payments": len(amounts),
            "revenue": sum(amounts) / 100,
            "average": sum(amounts) / len(amounts) / 100,
            "share": 100 * sum(amounts) / sum(map(sum, cents)),
        }
        for month, amounts in enumerate(cents, start=1)
    ]
    months = [row["month"] for row in rows]
    assert months == list(range(1, 13)), hint(
        f"There were payments in every month of {year}. The report should have a row for each"
        " month, in their order.",
        question="Which months, and which years, are in the rows that you add up?",
        expected=list(range(1, 13)),
        actual=months,
    )
    right, row, name = first_difference(rows, wanted) or (wanted[0], None, "")
    cut = name in ("revenue", "average", "share") and cut_off(
        [(given[name], month[name]) for given, month in zip(rows, wanted, strict=True)]
    )
    assert row is None, hint(
        f"In {NAMES.split()[right['month'] - 1]} there were {right['payments']} payments of"
        f" {right['revenue']:.2f} euros together, {right['share']:.2f} percent of the year's. The"
        f" report says {name} = {text(row[name])}."
        + (" What stood after the point is gone." if cut else ""),
        question="What is 7 / 2 in PostgreSQL, and of which type is it?"
        if cut
        else "Which payments belong to this number, and which do not?",
        misconception="integer-division" if cut else "",
        expected=told(right),
        actual=told(row),
    )
