import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import literal, select, text
from sqlalchemy.orm import Session

from tracker import search
from tracker.models import Difficulty, Lesson, Track, User
from tracker.services import learning

Statements = Callable[[], AbstractContextManager[list[str]]]
ANY_TEXT = st.text(st.characters() | st.sampled_from("\0\ud800&|!<>():*'\"-\\ a"), max_size=300)
MANY = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def titles(session: Session, query: str, **filters: object) -> list[str]:
    return [found.title for found in search.find_tracks(session, query, **filters).items]


def test_a_word_in_the_title_counts_more_than_one_in_the_description_or_in_a_tag(
    session: Session, make_track: Callable[..., Track]
) -> None:
    make_track(title="Cooking", tags=["indexes"])
    make_track(title="Gardening", description="With a chapter on indexes.")
    make_track(title="Indexes")
    make_track(title="Nothing of the kind")
    assert titles(session, "indexes") == ["Indexes", "Gardening", "Cooking"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("index", {"Reading indexes", "Writing indexes"}),
        ("INDEXING", {"Reading indexes", "Writing indexes"}),
        ("index -writing", {"Reading indexes"}),
        ('"writing indexes"', {"Writing indexes"}),
        ('"indexes writing"', set()),
        ("reading or writing", {"Reading indexes", "Writing indexes"}),
        ("reading writing", set()),
        ("the", set()),
        ("", set()),
        ("%", set()),
        ("C++ & (", set()),
    ],
)
def test_a_query_means_what_people_expect_of_a_search_box(
    session: Session, make_track: Callable[..., Track], query: str, expected: set[str]
) -> None:
    make_track(title="Reading indexes")
    make_track(title="Writing indexes")
    assert set(titles(session, query)) == expected


def test_drafts_are_not_found(session: Session, make_track: Callable[..., Track]) -> None:
    make_track(title="Secret plans", is_published=False)
    public = make_track(title="Public", lessons=2)
    public.lessons[0].content = public.lessons[1].content = "secret"
    public.lessons[1].is_published = False
    session.flush()
    assert titles(session, "secret") == []
    assert [found.title for found in search.find_lessons(session, "secret").items] == ["Lesson 1"]


def test_filters_narrow_what_is_found(
    session: Session, make_track: Callable[..., Track], make_user: Callable[..., User]
) -> None:
    done = make_track(title="SQL one", lessons=1, tags=["basics"], category="databases")
    make_track(title="SQL two", difficulty=Difficulty.EXPERT, price_cents=4900)
    user = make_user()
    learning.enroll(session, user.id, done.id)
    learning.complete_lesson(session, user.id, done.lessons[0].id)
    assert set(titles(session, "sql")) == {"SQL one", "SQL two"}
    assert titles(session, "sql", difficulties=[Difficulty.EXPERT]) == ["SQL two"]
    assert titles(session, "sql", categories=["databases", "other"]) == ["SQL one"]
    assert titles(session, "sql", tag="basics") == ["SQL one"]
    assert titles(session, "sql", highest_price_cents=4899) == ["SQL one"]
    assert titles(session, "sql", not_completed_by=user.id) == ["SQL two"]


def test_lessons_are_found_with_their_track_and_within_one(
    session: Session, make_track: Callable[..., Track]
) -> None:
    first, second = make_track(title="First", lessons=2), make_track(title="Second", lessons=1)
    for lesson in (first.lessons[1], second.lessons[0]):
        lesson.content = "All about vacuuming."
    session.flush()
    everywhere = search.find_lessons(session, "vacuum")
    assert {found.track_title for found in everywhere.items} == {"First", "Second"}
    within = search.find_lessons(session, "vacuum", track_id=first.id)
    assert [found.id for found in within.items] == [first.lessons[1].id]


def test_what_an_author_changes_is_found_at_once(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(title="Knitting")
    track.title = "Weaving"
    session.flush()
    assert (titles(session, "knitting"), titles(session, "weaving")) == ([], ["Weaving"])


def test_the_words_found_are_marked_and_the_authors_own_tags_are_text(
    session: Session, make_track: Callable[..., Track]
) -> None:
    description = "Locks & keys: a < b, <img src=x onerror=alert(1) and \x02locks\x03."
    make_track(title="X", description=description)
    (found,) = search.find_tracks(session, "locks").items
    assert found.extract.startswith("<mark>Locks</mark> &amp; keys: a &lt; b")
    assert set(re.findall("<[^>]*>", found.extract)) == {"<mark>", "</mark>"}
    assert "&amp;" in found.extract
    assert found.extract.count("<mark>") == found.extract.count("</mark>") == 2


@MANY
@given(query=ANY_TEXT)
def test_no_query_is_an_error(
    session: Session, make_track: Callable[..., Track], query: str
) -> None:
    search.find_tracks(session, query)
    search.find_lessons(session, query)


@MANY
@given(
    content=st.lists(
        st.sampled_from(
            ["lock", "locks", "<b>", "</b>", "<", ">", "&", '"', "\x02", "\x03", "word"]
        ),
        max_size=40,
    ).map(" ".join)
)
def test_an_extract_holds_no_tags_but_balanced_marks(session: Session, content: str) -> None:
    headline = search._headline(literal(content), search._tsquery("lock word"))
    (row,) = session.execute(select(*5 * [literal(None)], headline)).all()
    extract = search._made_safe(search.FoundTrack(*row)).extract
    rest = extract.replace("<mark>", "\x02").replace("</mark>", "\x03")
    assert not set(rest) & set("<>\"'")
    assert re.fullmatch("[^\x02\x03]*(\x02[^\x02\x03]*\x03[^\x02\x03]*)*", rest)


def test_a_search_takes_two_statements_however_much_is_found(
    session: Session, make_track: Callable[..., Track], statements: Statements
) -> None:
    counts = []
    for _ in range(2):
        for _ in range(5):
            make_track(title="SQL", lessons=1)
        with statements() as sent:
            assert search.find_tracks(session, "sql").items
            assert search.find_lessons(session, "lesson").items
        counts.append(len(sent))
    assert counts == [4, 4]


def test_the_pages_of_a_search_put_together_are_all_that_is_found(
    session: Session, make_track: Callable[..., Track]
) -> None:
    made = {make_track(title="SQL").id for _ in range(5)}
    pages = [search.find_tracks(session, "sql", page=page, limit=2) for page in (1, 2, 3)]
    read = [found.id for page in pages for found in page.items]
    assert (set(read), len(read), pages[0].total) == (made, 5, 5)


def test_the_index_answers_for_a_rare_word(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track()
    session.execute(
        text(
            "INSERT INTO lessons (title, content, duration_minutes, position, track_id)"
            " SELECT 'L' || n, 'word' || n, 1, n, :track FROM generate_series(1, 5000) n"
        ),
        {"track": track.id},
    )
    session.execute(text("ANALYZE lessons"))
    plan = session.scalars(
        text(
            "EXPLAIN SELECT id FROM lessons"
            " WHERE search_vector @@ websearch_to_tsquery('english', 'word4711')"
        )
    ).all()
    assert "ix_lessons_search_vector" in " ".join(plan)


def test_saving_a_track_does_not_bring_its_words_back(
    session: Session, make_track: Callable[..., Track], statements: Statements
) -> None:
    with statements() as sent:
        track = make_track(lessons=1)
        track.title = "Other"
        session.flush()
        assert session.get(Lesson, track.lessons[0].id, populate_existing=True)
    assert not [statement for statement in sent if "search_vector" in statement]
