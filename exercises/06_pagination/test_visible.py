"""What pages of a catalog must give. Your grader runs more checks than these."""

from datetime import UTC, datetime, timedelta

from grader.checks import check, hint

THEN = datetime(2026, 3, 1, 8, tzinfo=UTC)
LEVELS = ("beginner", "intermediate", "advanced")
MANY_PAGES = 40


def publish(db, data, *moments, level=None):
    """Tracks that were published at these moments, in the order of their ids; None is a draft."""
    rows = [
        {"title": data.text(3), "level": level or data.pick(LEVELS), "published_at": moment}
        for moment in moments
    ]
    return db.insert("tracks", *rows)


def moments(data, number, before=0):
    """Different moments in no order, each some minutes from the next."""
    found = [THEN - timedelta(minutes=10 * (n + before), seconds=n) for n in range(number)]
    data.rng.shuffle(found)
    return found


def newest_first(rows):
    published = [row for row in rows if row["published_at"] is not None]
    return sorted(published, key=lambda row: (row["published_at"], row["id"]), reverse=True)


def ids(rows):
    return [row["id"] for row in rows]


def page_of(student, **wanted):
    """One page: its ids and the way to the next one."""
    wanted = {name: value for name, value in wanted.items() if value is not None}
    page = student.call("newest_tracks", **wanted)
    shaped = (
        isinstance(page, dict)
        and isinstance(page.get("tracks"), list)
        and all(isinstance(track, dict) and "id" in track for track in page["tracks"])
        and isinstance(page.get("next", 0), str | None)
    )
    assert shaped, hint(
        "newest_tracks did not give a page.",
        question="Which two things does a page consist of, and of which type are they?",
        expected="tracks: a list of tracks; next: a text or None",
        actual=page,
    )
    return ids(page["tracks"]), page["next"]


def follows(found, wanted, begin, slack):
    """Whether the tracks follow each other in the list, from about there on.

    A page that begins one track too early or too late is the matter of one check only.
    """
    starts = [n for n, track in enumerate(wanted) if found and track == found[0]]
    return any(found == wanted[n : n + len(found)] and abs(n - begin) <= slack for n in starts)


def walk(student, size, level=None):
    """All pages, from the first one to the one that says that it is the last."""
    pages, after = [], None
    while len(pages) < MANY_PAGES:
        found, after = page_of(student, size=size, after=after, level=level)
        pages.append(found)
        if after is None:
            return pages
    raise AssertionError(
        hint(
            f"After {MANY_PAGES} pages of {size} there was still another one, and the table has"
            " fewer rows than that.",
            question="Does the place from which a page begins move on with every page?",
            expected="next is None at some time",
            actual=f"the last page: {pages[-1]}",
        )
    )


@check("Page after page gives every published track once, newest first", points=2)
def test_every_track_once(student, db, data):
    rows = publish(db, data, *moments(data, 23), None, None)
    wanted, drafts = ids(newest_first(rows)), ids(rows[-2:])
    page_of(student, size=23)
    shown = {track["id"]: track for track in student.calls[-1].value["tracks"]}
    for row in newest_first(rows):
        told = {key: shown.get(row["id"], row).get(key) for key in row}
        assert told == row, hint(
            "A track on the page is not what is in the table.",
            question="Which fields has a track, and from which columns do they come?",
            expected=row,
            actual=told,
        )
    pages = walk(student, 5)
    listed = [track for page in pages for track in page]
    twice = sorted({track for track in listed if listed.count(track) > 1})
    missing = [track for track in wanted if track not in listed]
    edges = {wanted.index(track) for track in (*twice, *missing) if track in wanted}
    assert not set(drafts) & set(listed), hint(
        "Drafts are in the list. Their authors have not published them.",
        question="What does a draft have in published_at?",
        expected="no drafts",
        actual=f"{len(set(drafts) & set(listed))} drafts in the list",
    )
    assert not twice and not missing, hint(
        f"{len(wanted)} tracks were read in pages of five: {len(missing)} are on no page, and"
        f" {len(twice)} on two.",
        question="With which track does a page end, which one does your cursor name, and which one"
        " should come next?",
        misconception="off-by-one-cursor" if len(edges) == len(pages) - 1 else "",
        expected=f"{len(wanted)} tracks, each once",
        actual=f"missing: {missing or 'none'}; twice: {twice or 'none'}",
    )
    assert listed == wanted, hint(
        "Every track is there once, and they do not come newest first.",
        question="By which column are the tracks to be ordered?",
        misconception="larger-id-is-newer" if listed == sorted(wanted, reverse=True) else "",
        expected=wanted,
        actual=listed,
    )


@check("The last page says that it is the last, also when it is full", points=2)
def test_last_page(student, db, data):
    for number, lengths in ((11, [5, 5, 1]), (10, [5, 5])):
        with db.author() as connection:
            connection.execute("DELETE FROM public.tracks")
        publish(db, data, *moments(data, number))
        found = [len(page) for page in walk(student, 5)]
        more = found == [*lengths, 0]
        assert found == lengths, hint(
            f"{number} tracks in pages of five: "
            + (
                "the last page said that there is another one, and that one is empty. A reader"
                " presses *next* and sees nothing."
                if more
                else "the pages have other lengths than they should."
            ),
            question="How can you know, with five tracks on a page, whether there is a sixth?"
            if more
            else "How many tracks does each of your pages leave to the next one?",
            misconception="full-page-means-more" if more else "",
            expected=f"pages of {lengths}",
            actual=f"pages of {found}",
        )


@check("What is published or deleted between two pages moves nothing", points=2)
def test_others_publish_meanwhile(student, db, data):
    rows = publish(db, data, *moments(data, 16, before=1))
    wanted = ids(newest_first(rows))
    first, after = page_of(student, size=4)
    new = publish(db, data, *(THEN + timedelta(minutes=data.number(n, n + 5)) for n in (0, 9, 18)))
    second, after_second = page_of(student, size=4, after=after)
    counted = ids(newest_first([*rows, *new]))[4:8]
    again = set(first) & set(second)
    assert first == wanted[:4] and follows(second, wanted, 4, slack=1), hint(
        "Somebody read the first four tracks, three new ones were published, and the second page"
        + (
            f" shows {len(again)} of the four again."
            if again
            else " is not the one that follows the first."
        ),
        question="From where does your second page count, and what stands in front of it now?",
        misconception="offset-is-a-place" if second == counted else "",
        expected=wanted[4:8],
        actual=second,
    )
    with db.author() as connection:
        connection.execute("DELETE FROM public.tracks WHERE id = ANY (%s)", [wanted[:4]])
    third, _ = page_of(student, size=4, after=after_second)
    assert follows(third, wanted, 8, slack=2), hint(
        "Then the four tracks of the first page were deleted, and the third page is not the one"
        " that follows the second.",
        question="From where does your third page count, and what stands in front of it now?",
        expected=wanted[8:12],
        actual=third,
    )


@check("Tracks that were published in the same moment are all on some page, once", points=2)
def test_same_moment(student, db, plan, data):
    rows = publish(db, data, THEN + timedelta(minutes=1), *[THEN] * 13, *moments(data, 2, before=1))
    plan.refresh_statistics("tracks")  # so few rows are read without an index, which has an order
    wanted = ids(newest_first(rows))
    pages = walk(student, 5)
    listed = [track for page in pages for track in page]
    lost = [track for track in wanted if track not in listed]
    twice = len(listed) - len(set(listed))
    assert not lost and not twice, hint(
        f"An import published thirteen tracks in one moment. In pages of five, {len(lost)} tracks"
        f" are on no page, and {twice} on two.",
        question="A page ends between two tracks of the same moment. What does your cursor say of"
        " which one comes next?",
        misconception="tie-on-timestamp" if len(lost) > len(pages) and wanted[-1] in listed else "",
        expected=f"{len(wanted)} tracks, each once",
        actual=f"{len(set(listed))} different tracks on {len(listed)} places",
    )
    assert listed == wanted, hint(
        "All tracks of one moment are there, and not in the order that the README asks for.",
        question="Which of two tracks of the same moment comes first?",
        expected=wanted,
        actual=listed,
    )


@check("A level keeps the others out, on every page")
def test_one_level(student, db, data):
    rows = publish(db, data, *moments(data, 12), level="beginner")
    rows += publish(db, data, *moments(data, 12), level="advanced")
    level = data.pick(("beginner", "advanced"))
    wanted = ids(newest_first([row for row in rows if row["level"] == level]))
    pages = [page for page in walk(student, 4, level=level) if page]
    others = [track for page in pages for track in page if track not in wanted]
    assert not others and all(follows(page, wanted, 4 * n, 4) for n, page in enumerate(pages)), (
        hint(
            f"The pages of level {level} hold {len(others)} tracks of another level."
            if others
            else f"The pages of level {level} do not hold the tracks of that level, in order.",
            question="Is the level asked for on the second page as well?",
            expected=wanted,
            actual=[track for page in pages for track in page],
        )
    )


@check("The count is that of the published tracks")
def test_count(student, db, data):
    rows = publish(db, data, *moments(data, data.number(5, 20)), None)
    rows += publish(db, data, *moments(data, data.number(5, 20)), None, level="advanced")
    published = newest_first(rows)
    for level in (None, "advanced", "unheard of"):
        wanted = sum(row["level"] == level or level is None for row in published)
        counted = student.call("count_tracks", **({"level": level} if level else {}))
        assert counted == wanted, hint(
            f"count_tracks({f'level={level!r}' if level else ''}) counted others than the published"
            f" tracks{' of that level' if level else ''}.",
            question="Which rows does a list of that level have?",
            expected=wanted,
            actual=counted,
        )
