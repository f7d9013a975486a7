"""Where nobody counts along: nothing there, others in the same tracks, equal amounts, midnight."""

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from test_visible import MONTHS, NAMES, POPULAR, PROGRESS, enroll, payment, some_users

from grader.checks import check, hint

USERS_PROGRESS = """
    SELECT t.title AS track,
           (SELECT count(*) FROM public.lessons l WHERE l.track_id = t.id) AS lessons,
           mine.completed,
           coalesce(mine.minutes, 0) AS minutes,
           (SELECT 100.0 * mine.completed / nullif(count(*), 0) FROM public.lessons l
             WHERE l.track_id = t.id) AS percent,
           mine.score
    FROM public.tracks t
    JOIN public.enrollments e ON e.track_id = t.id,
    LATERAL (SELECT count(*) FILTER (WHERE is_completed) AS completed,
                    sum(minutes) FILTER (WHERE is_completed) AS minutes,
                    avg(score) AS score
             FROM public.lessons l JOIN public.lesson_progress p ON p.lesson_id = l.id
             WHERE l.track_id = t.id AND p.user_id = e.user_id) AS mine
    WHERE e.user_id = %s
    ORDER BY t.id
    """
TRACKS = """
    SELECT title,
           (SELECT count(*) FROM public.enrollments e WHERE e.track_id = t.id) AS learners,
           (SELECT count(*) FROM public.lessons l, public.lesson_progress p
             WHERE l.track_id = t.id AND p.lesson_id = l.id AND p.is_completed) AS completed,
           (SELECT coalesce(sum(amount_cents), 0) / 100.0 FROM public.payments p
             WHERE p.track_id = t.id AND status = 'paid') AS revenue
    FROM public.tracks t
    WHERE is_published
    """
# Shared by the right figures and by those that somebody gets who takes another zone for Berlin's.
REVENUE = """
    SELECT month, coalesce(payments, 0) AS payments, coalesce(cents, 0) / 100.0 AS revenue
    FROM generate_series(1, 12) AS month
    LEFT JOIN (SELECT extract(month FROM local) AS month, count(*) AS payments,
                      sum(amount_cents) AS cents
               FROM public.payments, LATERAL (SELECT paid_at AT TIME ZONE %s AS local) AS there
               WHERE status = 'paid' AND extract(year FROM local) = %s
               GROUP BY 1) AS those USING (month)
    """


def rows_of(answer, columns, report):
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
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < 10**15
    return isinstance(value, float | Decimal) and math.isfinite(value)


def text(value):
    """A value as it is said in a sentence."""
    if is_number(value):
        return str(int(value)) if value == int(value) else f"{value:.2f}"
    return "NULL" if value is None else str(value)


def in_words(month, year):
    return f"{NAMES.split()[int(month) - 1]} {year}"


def lost_by(statements, otherwise):
    """The misconception behind rows that are missing, by the joins that were sent."""
    sent = " ".join(" ".join(s.text.upper().split()) for s in statements)
    if any(f"{side} JOIN" in sent for side in ("LEFT", "OUTER", "RIGHT", "FULL")):
        return "where-undoes-the-outer-join"
    return otherwise if "JOIN" in sent or otherwise == "no-rows-no-group" else ""


LOST = {
    "where-undoes-the-outer-join": "What does the outer join put into the columns of a row that has"
    " no partner, and what does a condition in WHERE make of that?",
    "inner-join-loses-zeros": "What does a JOIN do with a row that has no partner?",
    "no-rows-no-group": "Out of what does GROUP BY make its groups?",
    "": "Which rows does a track need, to be in the report?",
}


def some_tracks(db, data, *lessons, **columns):
    tracks = db.insert("tracks", *({"title": data.word(4).capitalize()} | columns for _ in lessons))
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


def opened(user, *lessons, completed=True, scores=()):
    rows = [
        {"user_id": user["id"], "lesson_id": lesson["id"], "is_completed": completed}
        for lesson in lessons
    ]
    for row, score in zip(rows, scores, strict=False):
        row["score"] = score
    return rows


@check(
    "A track in which nothing was learned yet is in the report, with zeros and without a score",
    points=2,
)
def test_nothing_was_learned_yet(student, db, oracle, statements, data):
    user, other = some_users(db, data, 2)
    tracks = some_tracks(db, data, 0, 3, 4, 3)
    (bare, _), (untouched, _), (taken, lessons), (unmeasured, new) = tracks
    for track in (bare, untouched, taken, unmeasured):
        enroll(db, track, [user])
    [unknown] = db.insert("lessons", {"track_id": unmeasured["id"], "position": 9, "minutes": None})
    db.insert("lesson_progress", *opened(other, *lessons, scores=[data.number(1, 99)] * 4))
    db.insert("lesson_progress", *opened(user, unknown))
    rows = rows_of(student.call("user_progress", user["id"]), PROGRESS, "user_progress")
    there = {str(row["track"]): row for row in rows}
    missing = [t["title"] for t, _ in tracks if t["title"] not in there]
    lost = lost_by(statements.last, "inner-join-loses-zeros")
    assert not missing, hint(
        "The user is enrolled in four tracks: in one without lessons, in one that nobody has"
        " opened, in one that only somebody else has opened, and in one of which one lesson is"
        f" completed. Missing in the report: {len(missing)}.",
        question=LOST[lost],
        misconception=lost,
        expected="all four",
        actual=f"{len(there)} of them",
        show=statements.last,
    )
    row = there[bare["title"]]
    ghost = row["lessons"] == 1
    assert row["lessons"] == 0, hint(
        f"A track without any lesson is said to have {row['lessons']}."
        + (" That is the row that the join made up for it." if ghost else ""),
        question="What does count(*) count, and what does count(a column) leave out?",
        misconception="count-star-counts-the-null-row" if ghost else "",
        expected=0,
        actual=row["lessons"],
        show=statements.last,
    )
    row = there[unmeasured["title"]]
    assert row["lessons"] == 1 + len(new), hint(
        f"A track has {1 + len(new)} lessons, and the user has opened one of them. The report says"
        f" that it has {row['lessons']}.",
        question=LOST[lost],
        misconception=lost if row["lessons"] == 1 else "",
        expected=1 + len(new),
        actual=row["lessons"],
        show=statements.last,
    )
    for row in rows:
        assert row["score"] is None, hint(
            f"In {row['track']} the user has no score at all. The report says {text(row['score'])}"
            + (": as if every test had been failed." if row["score"] == 0 else "."),
            question="Is nothing known the same as zero?"
            if row["score"] == 0
            else "Whose scores are these?",
            misconception="null-is-zero" if row["score"] == 0 else "",
            expected="NULL",
            actual=text(row["score"]),
            show=statements.last,
        )
    agrees(oracle, statements, rows, USERS_PROGRESS, [user["id"]], ordered=True)


def agrees(oracle, statements, rows, reference, parameters=(), *, ordered=False):
    found = oracle.difference(rows, reference, parameters, ordered=ordered, places=2)
    assert found is None, hint(
        found.message,
        question=found.question,
        expected=found.expected,
        actual=found.actual,
        show=statements.last,
    )


@check("What others have learned, and what was learned elsewhere, is not counted")
def test_only_this_user(student, db, oracle, plan, *, statements, data):
    user, other, idle = some_users(db, data, 3)
    tracks = some_tracks(db, data, 3, 2, 4, *[1] * 40)
    for number, (track, lessons) in enumerate(tracks):
        enroll(db, track, [other, user] if number != 2 else [other])
        for who in (other, user):
            scores = [data.number(1, 99) for _ in lessons]
            db.insert("lesson_progress", *opened(who, *lessons, scores=scores))
    # So many groups are made by a hash table, and come in no order of their own.
    plan.refresh_statistics("tracks", "lessons", "enrollments", "lesson_progress")
    rows = rows_of(student.call("user_progress", user["id"]), PROGRESS, "user_progress")
    agrees(oracle, statements, rows, USERS_PROGRESS, [user["id"]], ordered=True)
    for nobody, who in ((idle["id"], "is enrolled nowhere"), (idle["id"] + 1000, "nobody knows")):
        answer = student.call("user_progress", nobody)
        assert answer == [], hint(
            f"user_progress was asked for a user who{'m' if who.startswith('n') else ''} {who}, and"
            " should give an empty list.",
            question="Which rows are there for this user?",
            expected=[],
            actual=answer,
        )


@check("A track that nobody takes is listed with zeros, and an unpublished one is not", points=2)
def test_tracks_that_nobody_takes(sql, db, oracle, statements, data):
    users = some_users(db, data, 4)
    tracks = some_tracks(db, data, 0, 2, 3, 0, 0, 1)
    [(hidden, _)] = some_tracks(db, data, 0, is_published=False)
    enroll(db, hidden, users)
    enroll(db, tracks[0][0], users[:3])
    enroll(db, tracks[5][0], users[3:])
    db.insert("lesson_progress", *opened(users[0], *tracks[1][1]))
    db.insert("lesson_progress", *opened(users[1], *tracks[2][1], completed=False))
    refunded = payment(users[2], tracks[3][0], 4900, status="refunded")
    db.insert("payments", refunded, payment(users[3], tracks[4][0], 3900))
    rows = rows_of(sql.rows("popular_tracks.sql"), POPULAR, "popular_tracks.sql")
    there = {str(row["title"]): row for row in rows}
    missing = [t["title"] for t, _ in tracks if t["title"] not in there]
    lost = lost_by(statements.last, "inner-join-loses-zeros")
    assert not missing, hint(
        f"Six tracks are published, and four of them have no learner. Missing in the report:"
        f" {len(missing)}. Nobody will ask why nobody takes them.",
        question=LOST[lost],
        misconception=lost,
        expected="all six",
        actual=f"{len(there)} of them",
    )
    assert hidden["title"] not in there, hint(
        "A track that is not published is in the list, with its learners.",
        question="Which tracks is this list about?",
        actual=there.get(hidden["title"]),
    )
    first, *untaken, second = (there[track["title"]] for track, _ in tracks)
    ghosts = [row for row in untaken if row["learners"] == 1]
    assert not ghosts, hint(
        f"{len(ghosts)} tracks without any learner are said to have one: the row that the join made"
        " up for them.",
        question="What does count(*) count, and what does count(a column) leave out?",
        misconception="count-star-counts-the-null-row",
        expected="learners = 0",
        actual="learners = 1",
    )
    highest = min(row["rank"] for row in untaken)
    assert first["rank"] < second["rank"] < highest, hint(
        "A track with three learners comes first, one with a single learner second, and those that"
        f" nobody takes after them. The report gives one of these the rank {text(highest)}.",
        question="Where does NULL stand in an order that goes down?",
        misconception="null-is-smallest" if highest == 1 else "",
        expected="1, 2, and 3 or more",
        actual=f"{text(first['rank'])}, {text(second['rank'])}, and {text(highest)} or more",
    )
    agrees(oracle, statements, rows, TRACKS)


@check("Equal amounts count each, to the cent")
def test_equal_amounts(sql, db, oracle, statements, data):
    users = some_users(db, data, 5)
    [(track, lessons)] = some_tracks(db, data, 2)
    enroll(db, track, users)
    for user in users:
        db.insert("lesson_progress", *opened(user, *lessons))
    cents = 100 * data.number(20, 80) + 99
    db.insert("payments", *(payment(user, track, cents) for user in users[:3]))
    [row] = rows_of(sql.rows("popular_tracks.sql"), POPULAR, "popular_tracks.sql") or [{}]
    revenue = row.get("revenue")
    value = float(revenue) if is_number(revenue) else 0.0
    told, wanted = cents / 100, 3 * cents / 100
    once, cut = abs(value - told) < 0.01, value == math.floor(wanted)
    many = value > wanted and round(value % wanted, 2) in (0, round(wanted, 2))
    assert is_number(revenue) and abs(value - wanted) < 0.01, hint(
        f"Three learners paid {told:.2f} euros each for the same track. The report says that"
        f" {text(revenue)} came in.",
        question="What does DISTINCT throw away: repeated rows, or equal values?"
        if once
        else "What is 7 / 2 in PostgreSQL, and of which type is it?"
        if cut
        else "How many rows come out when 5 enrollments and 3 payments are joined to a track?",
        misconception="integer-division" if cut else "fan-out" if once or many else "",
        expected=f"{wanted:.2f}",
        actual=text(revenue),
    )
    agrees(oracle, statements, [row], TRACKS)


def in_month(year, month, day=15):
    return datetime(year, month, day, 12, tzinfo=UTC)


def twelve_rows(sql, statements, year):
    """The rows of the year by month, once all twelve of them are there."""
    rows = rows_of(sql.rows("revenue_by_month.sql", {"year": year}), MONTHS, "revenue_by_month.sql")
    lost = lost_by(statements.last, "no-rows-no-group")
    assert len(rows) >= 12, hint(
        f"The report on {year} has {len(rows)} rows. Where nothing came in there is no row, and in"
        " the director's chart the line goes straight from the month before to the month after.",
        question=LOST[lost],
        misconception=lost,
        expected="12 rows",
        actual=f"{len(rows)} rows",
    )
    months = [row["month"] for row in rows]
    assert months == list(range(1, 13)), hint(
        "The report should have a row for each of the twelve months, in their order.",
        question="What decides in which order the rows come, and what makes two of one?",
        expected=list(range(1, 13)),
        actual=months,
    )
    return rows


def nothing_came_in(row, year):
    """The row of a month without payments is as README says."""
    ghost = row["payments"] == 1 and row["revenue"] in (0, None)
    there = f"payments = {text(row['payments'])}, revenue = {text(row['revenue'])}"
    assert row["payments"] == 0 and row["revenue"] == 0, hint(
        f"Nobody paid in {in_words(row['month'], year)}, and the report says: {there}.",
        question="What does count(*) count, and what does count(a column) leave out?"
        if ghost
        else "Which payments count, and what is the sum of none?",
        misconception="count-star-counts-the-null-row" if ghost else "",
        expected="payments = 0, revenue = 0",
        actual=there,
    )
    assert row["average"] is None, hint(
        f"Nobody paid in {in_words(row['month'], year)}. The report says that the average payment"
        f" was {text(row['average'])} euros.",
        question="Is nothing known the same as zero?",
        misconception="null-is-zero" if row["average"] == 0 else "",
        expected="NULL",
        actual=text(row["average"]),
    )


@check("A month in which nothing came in has a row with zeros and without an average")
def test_months_without_payments(sql, db, oracle, statements, data):
    [user] = some_users(db, data, 1)
    [(track, _)] = some_tracks(db, data, 0)
    year = data.number(2021, 2029)
    first, second, refunded = data.rng.sample(range(1, 13), 3)
    cents = 100 * data.number(20, 90)
    db.insert(
        "payments",
        *(
            payment(user, track, cents, when=in_month(year, m))
            for m in (first, second)
            for _ in "12"
        ),
        payment(user, track, cents, when=in_month(year, refunded), status="refunded"),
        payment(user, track, cents, when=in_month(year - 1, refunded)),
    )
    rows = twelve_rows(sql, statements, year)
    for row in rows:
        if row["month"] not in (first, second):
            nothing_came_in(row, year)
            assert row["share"] == 0, hint(
                f"{in_words(row['month'], year)} brought nothing to the year's revenue, so its"
                f" share is 0. The report says {text(row['share'])}.",
                question="What is a part of 0 in a whole that is there?",
                expected=0,
                actual=text(row["share"]),
            )
    agrees(oracle, statements, rows, REVENUE, ["Europe/Berlin", year])


@check("A month begins and ends at midnight in Berlin", points=2)
def test_midnight_in_berlin(sql, db, oracle, data):
    [user] = some_users(db, data, 1)
    [(track, _)] = some_tracks(db, data, 0)
    year = data.number(2021, 2029)
    # Midnight in Berlin is at 23:00 UTC in winter and at 22:00 UTC in summer.
    begins = {
        1: datetime(year - 1, 12, 31, 23, tzinfo=UTC),
        3: datetime(year, 2, 28, 23, tzinfo=UTC) + timedelta(days=year % 4 == 0),
        7: datetime(year, 6, 30, 22, tzinfo=UTC),
        10: datetime(year, 9, 30, 22, tzinfo=UTC),
        13: datetime(year, 12, 31, 23, tzinfo=UTC),
    }
    moments = [
        m for begin in begins.values() for m in (begin, begin - timedelta(microseconds=1))
    ] + [datetime(year, 12, 31, 10, tzinfo=UTC)]
    db.insert(
        "payments",
        *(payment(user, track, 100 * data.number(20, 90), when=moment) for moment in moments),
    )
    rows = rows_of(sql.rows("revenue_by_month.sql", {"year": year}), MONTHS, "revenue_by_month.sql")
    right = payments_by_month(oracle.rows(REVENUE, ["Europe/Berlin", year]))
    utc = payments_by_month(oracle.rows(REVENUE, ["UTC", year]))
    given = {month: number for month, number in payments_by_month(rows).items() if month in right}
    months = [month for month in range(1, 13) if given.get(month) != right.get(month)]
    elsewhere = given in (utc, {m: n for m, n in utc.items() if m != 12})
    too_early = not elsewhere and given in (
        {m: n for m, n in right.items() if m not in left_out} for left_out in ([12], [2, 6, 9, 12])
    )
    assert not months, hint(
        "In Berlin it was the first of the month, at midnight; in the time zone of the session it"
        " was still the evening before. The report counts that payment in the month before, and at"
        " New Year in another year."
        if elsewhere
        else "On the 31st of December somebody paid in the morning, and somebody just before"
        " midnight. The report has neither of them."
        if too_early
        else f"Payments were made in the first and in the last moment of some months. For"
        f" {in_words(months[0], year)} the report counts another number of them.",
        question="In which zone does date_trunc look for the month of a timestamptz?"
        if elsewhere
        else "At what time of the day is '2025-12-31', as a moment?"
        if too_early
        else "How far is Berlin ahead of UTC in January, and how far in July?",
        misconception="month-of-the-server"
        if elsewhere
        else "between-ends-at-midnight"
        if too_early
        else "",
        expected=by_month(right),
        actual=by_month(given),
    )
    wanted = {row["month"]: row["revenue"] for row in oracle.rows(REVENUE, ["Europe/Berlin", year])}
    for row in rows:
        revenue, should = row["revenue"], wanted.get(row["month"])
        assert row["month"] not in right or (
            is_number(revenue) and abs(float(revenue) - float(should)) < 0.01
        ), hint(
            f"Month {row['month']} has the right number of payments, and its revenue is not what"
            " they come to.",
            question="Are they the same payments that are counted and added up?",
            expected=should,
            actual=revenue,
        )


def payments_by_month(rows):
    """How many payments there were, in the months in which there were any."""
    return {
        int(row["month"]): row["payments"]
        for row in rows
        if is_number(row["month"]) and row["payments"]
    }


def by_month(payments):
    return ", ".join(f"month {month}: {number}" for month, number in sorted(payments.items()))


@check("In a year in which nothing came in, no month has a share of it")
def test_a_year_without_payments(sql, db, statements, data):
    [user] = some_users(db, data, 1)
    [(track, _)] = some_tracks(db, data, 0)
    year = data.number(2021, 2029)
    db.insert(
        "payments",
        *(payment(user, track, 4900, when=in_month(y, 6)) for y in (year - 1, year + 1)),
        payment(user, track, 4900, when=in_month(year, 6), status="pending"),
    )
    for row in twelve_rows(sql, statements, year):
        nothing_came_in(row, year)
        assert row["share"] is None, hint(
            f"Nothing was paid in {year}, and the report says that {in_words(row['month'], year)}"
            f" had {text(row['share'])} percent of it.",
            question="What part of nothing is nothing?",
            expected="NULL",
            actual=text(row["share"]),
        )
