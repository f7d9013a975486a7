"""Where lists are long, where rows go away, and where links come from outside."""

from datetime import UTC, datetime, timedelta

from grader.checks import Raises, check, hint

THEN = datetime(2026, 3, 1, 8, tzinfo=UTC)
DEEP_PAGES = 15


def publish(db, data, *moments):
    """Tracks that were published at these moments, in the order of their ids."""
    rows = [{"title": data.text(3), "level": "beginner", "published_at": at} for at in moments]
    return db.insert("tracks", *rows)


def publish_many(db, data, number):
    """As many tracks, a minute apart, in a shuffled order of ids, every third of them advanced."""
    step = data.pick((7, 11, 13, 17))  # no number of tracks here is a multiple of these
    with db.author() as connection:
        connection.execute(
            "INSERT INTO public.tracks (title, level, published_at)"
            " SELECT 'Track ' || n, CASE n %% 3 WHEN 0 THEN 'advanced' ELSE 'beginner' END,"
            " %(then)s::timestamptz - (n * %(step)s %% %(number)s) * interval '1 minute'"
            " FROM generate_series(1, %(number)s) AS n",
            {"then": THEN, "step": step, "number": number},
        )


def in_order(db):
    """The ids of all published tracks, newest first."""
    rows = db.query(
        "SELECT id FROM public.tracks WHERE published_at IS NOT NULL"
        " ORDER BY published_at DESC, id DESC"
    )
    return [row["id"] for row in rows]


def page_of(student, **wanted):
    """One page: its ids and the way to the next one."""
    wanted = {name: value for name, value in wanted.items() if value is not None}
    page = student.call("newest_tracks", **wanted)
    try:
        return [track["id"] for track in page["tracks"]], page["next"]
    except (KeyError, TypeError):
        raise AssertionError(
            hint(
                "newest_tracks did not give a page.",
                question="Which two things does a page consist of, and of which type are they?",
                expected="tracks: a list of tracks; next: a text or None",
                actual=page,
            )
        ) from None


def follows(found, wanted, begin, slack=1):
    """Whether the tracks follow each other in the list, from about there on.

    A page that begins one track too early or too late is the matter of one check only.
    """
    starts = [n for n, track in enumerate(wanted) if found and track == found[0]]
    return any(found == wanted[n : n + len(found)] and abs(n - begin) <= slack for n in starts)


def walk(student, size, pages):
    """The ids of so many pages, or of all where there are fewer."""
    listed, after = [], None
    for _ in range(pages):
        found, after = page_of(student, size=size, after=after)
        listed += found
        if after is None:
            break
    return listed, after


@check("A page deep in the catalog costs what the first one costs", points=3)
def test_deep_pages(student, db, plan, statements, data):
    publish_many(db, data, 3000)
    plan.refresh_statistics("tracks")
    wanted = in_order(db)
    _, after = walk(student, 100, DEEP_PAGES)
    begins = 100 * DEEP_PAGES
    found, _ = page_of(student, size=10, after=after) if after else ([], None)
    assert follows(found, wanted, begins, slack=DEEP_PAGES), hint(
        f"The catalog has 3,000 tracks. {DEEP_PAGES} pages of a hundred were read, and the page of"
        " ten that follows them is not the next one.",
        question="Where does the list leave its order?",
        expected=wanted[begins : begins + 10],
        actual=found,
    )
    seen = plan.last(analyze=True)
    scans = [node for each in seen for node in each.nodes if node.scans]
    read = sum(max(node.rows, 0) + node.rows_removed for node in scans)
    sent = sum(each.root.rows for each in seen)
    alternatives = any(" OR " in (node.filter or "") for node in scans)
    counted = any("OFFSET" in s.text.upper() for s in statements.last)
    assert read <= 200, hint(
        f"For ten tracks behind the first {begins:,}, PostgreSQL read {read:,.0f} rows. Who scrolls"
        " down waits longer for every page, and all others wait with them.",
        question="Between which two entries of the index does your page begin, and can PostgreSQL"
        " tell from your condition?"
        if alternatives
        else "Which of these rows does the page show, and why were the others read?",
        misconception="or-finds-the-place"
        if alternatives
        else "offset-is-a-place"
        if counted
        else "total-by-fetching-all"
        if sent > 200
        else "",
        expected="at most 200 rows read",
        actual=f"{read:,.0f} rows read:\n" + "\n".join(each.text for each in seen),
    )


@check("No call fetches rows that it does not need", points=2)
def test_rows_fetched(student, db, plan, data):
    publish_many(db, data, 400)
    plan.refresh_statistics("tracks")
    found, after = page_of(student, size=10)
    first = _fetched(plan)
    second, _ = page_of(student, size=10, after=after) if after else ([], None)
    fetched = max(first, _fetched(plan))
    assert len(found) == len(second) == 10 and not set(found) & set(second[1:]), hint(
        "Before rows were counted: of 400 tracks the first two pages of ten do not hold twenty.",
        question="What should be on the second page that is not on the first?",
        expected="two pages of ten different tracks",
        actual=f"{found}; {second}",
    )
    assert fetched <= 30, hint(
        f"A page shows ten tracks, and for it {fetched:,.0f} rows traveled from PostgreSQL to"
        " your program. The larger the catalog, the more.",
        question="Which of these rows does the page show, and who throws the others away?",
        misconception="total-by-fetching-all",
        expected="at most 30 rows",
        actual=f"{fetched:,.0f} rows",
    )
    counted = student.call("count_tracks")
    fetched = _fetched(plan)
    assert counted == 400, hint(
        "Before rows were counted: the count itself is wrong.",
        question="Which rows does a list without a level have?",
        expected=400,
        actual=counted,
    )
    assert fetched <= 10, hint(
        f"The answer is one number, and for it {fetched:,.0f} rows traveled from PostgreSQL to"
        " your program.",
        question="Who counts: PostgreSQL, or your program?",
        misconception="total-by-fetching-all",
        expected="a handful of rows",
        actual=f"{fetched:,.0f} rows",
    )


def _fetched(plan):
    """How many rows the last call was sent."""
    return sum(each.root.rows for each in plan.last(analyze=True))


@check("The track with which a page ended may be withdrawn or deleted: the next page follows")
def test_the_last_one_goes(student, db, data):
    for action, statement in (
        ("withdrawn", "UPDATE public.tracks SET published_at = NULL WHERE id = %s"),
        ("deleted", "DELETE FROM public.tracks WHERE id = %s"),
    ):
        with db.author() as connection:
            connection.execute("DELETE FROM public.tracks")
        times = [THEN - timedelta(minutes=n // 2) for n in range(12)]
        data.rng.shuffle(times)
        publish(db, data, *times)
        wanted = in_order(db)
        first, after = page_of(student, size=4)
        assert first == wanted[:4] and after, hint(
            "Before anything was withdrawn: the first page of four is not that of the catalog.",
            question="In which order are the tracks to be listed?",
            expected=wanted[:4],
            actual=first,
        )
        with db.author() as connection:
            connection.execute(statement, [first[-1]])
        found, _ = page_of(student, size=4, after=after)
        assert follows(found, wanted, 4), hint(
            f"The track with which a page ended was {action}. The reader asked for the next page,"
            + (" and got an empty one." if not found else " and got another one."),
            question="What do you have to know of a track to go on behind it, and from where do you"
            " know it?",
            misconception="cursor-is-a-row" if not found else "",
            expected=wanted[4:8],
            actual=found,
        )


@check("A text that is no cursor raises BadCursor and does nothing", points=2)
def test_bad_cursors(student, db, statements, data):
    publish(db, data, *(THEN - timedelta(minutes=n) for n in range(8)))
    first, after = page_of(student, size=3)
    second = page_of(student, size=3, after=after)[0] if after else []
    assert len(second) == 3 and not set(first) & set(second[1:]), hint(
        "Before anything came from outside: the second page of three does not follow the first.",
        question="What should be on the second page that is not on the first?",
        expected="three other tracks",
        actual=f"{first}; {second}",
    )
    word = data.word()
    for text in (
        word,
        "'; DELETE FROM tracks; --",
        f"2026-13-45T99:00:00+00:00_{word}",
        f"2026-13-45T99:00:00+00:00_{data.number(1, 8)}",
        f"x' OR title <> '{word}",
        '{"id": null}',
        "[]",
        "☃ é %s :id $1",
        "Zm9vYmFy",
        word * 500,
        after + "9" * 30,  # some encodings end before that, and it is the cursor that it was
    ):
        told = student.drive(open_link, text) or {}
        read_as_sql = any((s.sqlstate or "").startswith("42") for s in statements.last.failed)
        pasted = db.count("tracks") != 8 or read_as_sql
        right = "BadCursor" in told.get("raised", []) or (text.startswith(after) and not told)
        assert right and db.count("tracks") == 8, hint(
            f"Somebody changed the link to the next page: `after` was {_short(text)}. That is no"
            " cursor of yours"
            + (
                ", and PostgreSQL was given it to read." if pasted else "; the caller must be told."
            ),
            question="Where does your SQL end, and where does the text from outside begin?"
            if pasted
            else "At which line do you know that a text is one that you have made?",
            misconception="sql-by-paste" if pasted else "",
            expected="BadCursor is raised, and 8 tracks are there",
            actual=f"{_ending(told)}, and {db.count('tracks')} tracks are there",
        )


def open_link(session, module, text):
    """What a page does with a link from outside."""
    try:
        module.newest_tracks(session, size=3, after=text)
    except Exception as error:
        session.rollback()
        return {"raised": [base.__name__ for base in type(error).__mro__]}
    return {}


def _ending(told):
    return f"{told['raised'][0]} was raised" if told.get("raised") else "a page was returned"


def _short(text):
    return repr(text if len(text) < 60 else text[:20] + "…")


@check("Two tracks that were published a microsecond apart are two places in the list")
def test_microseconds(student, db, data):
    start = THEN + timedelta(microseconds=data.number(100_000, 800_000))
    for apart in (timedelta(minutes=1), timedelta(microseconds=1)):
        with db.author() as connection:
            connection.execute("DELETE FROM public.tracks")
        times = [start.replace(microsecond=0) if apart.seconds else start] * 9
        times = [at + n * apart for n, at in enumerate(times)]
        data.rng.shuffle(times)
        publish(db, data, *times)
        wanted = in_order(db)
        listed, _ = walk(student, 2, 12)
        assert listed == wanted, hint(
            "Before times were close: nine tracks, a minute apart, in pages of two."
            if apart.seconds
            else "Nine tracks were published within nine microseconds. In pages of two, not all of"
            " them come once and in order.",
            question="Where do two pages of yours meet?"
            if apart.seconds
            else "Is the time in your cursor the time that is in the table, to the last digit?",
            misconception="" if apart.seconds else "a-time-is-its-text",
            expected=wanted,
            actual=listed,
        )


@check("A catalog may be empty, a page may hold all of it, and no page is larger than a hundred")
def test_sizes(student, db, data):
    assert page_of(student, size=5) == ([], None), hint(
        "Nothing is published, so the first page is empty and the last one.",
        question="What does your code take from the last row, where there is none?",
    )
    publish(db, data, *(THEN + timedelta(minutes=9 - n) for n in range(4)))
    wanted = in_order(db)
    listed, after = walk(student, 1, 6)
    assert (listed, after) == (wanted, None), hint(
        "Four tracks are published. In pages of one, each should come once, and the fourth page is"
        " the last.",
        question="What is the smallest page, and what stands on the page after it?",
        expected=wanted,
        actual=listed,
    )
    publish_many(db, data, 97)
    wanted = in_order(db)
    found, after = page_of(student, size=100)
    assert found == wanted[:100] and after, hint(
        "101 tracks are published. A page of a hundred should hold all but the oldest one, and say"
        " that there is another page.",
        question="Which hundred are the newest, and what tells that one is left?",
        expected="the 100 newest tracks, and a way to the next page",
        actual=f"{len(found)} tracks, {sum(f in wanted[:100] for f in found)} of them among the"
        f" newest; next: {after!r}",
    )
    assert page_of(student, size=100, after=after) == (wanted[100:], None), hint(
        "101 tracks are published. In pages of a hundred, the second page should hold the oldest"
        " one and be the last.",
        question="With which track does a page end, and which one should come next?",
    )
    for size in (0, -data.number(1, 50), 101, 10**9):
        said = hint(
            f"newest_tracks(size={size}) should raise ValueError.",
            question="What would the caller get, and what would PostgreSQL have to do for it?",
        )
        student.call("newest_tracks", size=size, expect=Raises("ValueError", otherwise=said))
