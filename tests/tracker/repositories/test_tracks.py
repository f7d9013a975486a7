from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tracker.errors import InvalidData, MissingReference, NotFound
from tracker.models import Difficulty, Track, User
from tracker.repositories import tracks
from tracker.services import learning

Statements = Callable[[], AbstractContextManager[list[str]]]


def titles(session: Session, **filters: object) -> set[str]:
    return {track.title for track in tracks.find(session, **filters).items}


def test_a_new_track_is_a_draft_for_beginners(
    session: Session, make_user: Callable[..., User]
) -> None:
    track = tracks.create(session, author_id=make_user().id, title="SQL")
    assert (track.is_published, track.difficulty) == (False, Difficulty.BEGINNER)
    assert (track.estimated_hours, track.tags) == (1, [])


def test_a_track_needs_an_author_who_exists(session: Session, stranger: UUID) -> None:
    with pytest.raises(MissingReference):
        tracks.create(session, author_id=stranger, title="SQL")


def test_filters_narrow_the_catalog_together(
    session: Session, make_track: Callable[..., Track]
) -> None:
    sql = make_track(title="SQL", tags=["sql", "basics"])
    make_track(title="Indexes", tags=["sql", "speed"], difficulty=Difficulty.ADVANCED)
    make_track(title="Draft", tags=["sql"], is_published=False)
    assert titles(session) == {"SQL", "Indexes"}
    assert titles(session, is_published=None) == {"SQL", "Indexes", "Draft"}
    assert titles(session, is_published=False) == {"Draft"}
    assert titles(session, tag="basics") == {"SQL"}
    assert titles(session, tag="basic") == set()
    assert titles(session, difficulty=Difficulty.ADVANCED) == {"Indexes"}
    assert titles(session, author_id=sql.author_id, is_published=None) == {"SQL"}


@pytest.mark.parametrize(
    ("search", "expected"),
    [("sql", {"SQL 100%"}), ("%", {"SQL 100%"}), ("_", set()), ("PLAN", {"Indexes"})],
)
def test_search_looks_in_title_and_description_and_has_no_wildcards(
    session: Session, make_track: Callable[..., Track], search: str, expected: set[str]
) -> None:
    make_track(title="SQL 100%")
    make_track(title="Indexes", description="Reading a plan")
    assert titles(session, search=search) == expected


def test_the_catalog_names_author_and_number_of_lessons(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(lessons=3)
    make_track(title="Empty", author=track.author)
    found = {item.title: item for item in tracks.find(session).items}
    assert found["SQL 101"].author == track.author.username
    assert found["SQL 101"].lesson_count == 3
    assert found["Empty"].lesson_count == 0


def test_the_catalog_takes_two_statements_whatever_its_size(
    session: Session, make_track: Callable[..., Track], statements: Statements
) -> None:
    counts = []
    for _ in range(2):
        for _ in range(5):
            make_track(lessons=2)
        with statements() as sent:
            assert tracks.find(session, limit=100).items
        counts.append(len(sent))
    assert counts == [2, 2]


def test_a_track_comes_with_author_and_lessons_in_order_in_two_statements(
    session: Session, make_track: Callable[..., Track], statements: Statements
) -> None:
    track_id = make_track(lessons=4).id
    session.expunge_all()
    with statements() as sent:
        track = tracks.get(session, track_id)
        assert [lesson.position for lesson in track.lessons] == [1, 2, 3, 4]
        assert track.author.username
    assert len(sent) == 2


def test_an_update_can_empty_the_description_and_leaves_the_rest(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(description="Old", tags=["sql"])
    tracks.update_fields(session, track.id, {"description": None})
    assert (track.description, track.tags, track.title) == (None, ["sql"], "SQL 101")


def test_an_update_cannot_give_a_track_to_another_author(
    session: Session, make_track: Callable[..., Track], stranger: UUID
) -> None:
    with pytest.raises(InvalidData, match="author_id"):
        tracks.update_fields(session, make_track().id, {"author_id": stranger})


def test_a_removed_track_takes_its_lessons_along(
    session: Session, make_track: Callable[..., Track]
) -> None:
    kept = make_track(lessons=1)
    tracks.remove(session, make_track(lessons=2).id)
    assert session.scalars(text("SELECT track_id FROM lessons")).all() == [kept.id]


def test_which_track_is_not_there_is_named_in_the_error(session: Session, stranger: UUID) -> None:
    for attempt in (
        lambda: tracks.get(session, stranger),
        lambda: tracks.update_fields(session, stranger, {"title": "x"}),
        lambda: tracks.remove(session, stranger),
    ):
        with pytest.raises(NotFound, match=str(stranger)):
            attempt()


def test_slices_put_together_are_the_published_catalog_in_order(
    session: Session, make_track: Callable[..., Track]
) -> None:
    made = [make_track(title=f"T{n}") for n in range(5)]
    make_track(title="Draft", is_published=False)
    read, position = [], None
    while True:
        part = tracks.find_after(session, position, limit=2)
        read += [item.id for item in part.items]
        if part.next is None:
            break
        position = part.next
    assert read == [track.id for track in reversed(made)]


def test_a_track_published_between_two_reads_neither_repeats_nor_hides_another(
    session: Session, make_track: Callable[..., Track]
) -> None:
    made = [make_track(title=f"T{n}").id for n in range(4)]
    first = tracks.find_after(session, limit=2)
    make_track(title="In between")
    second = tracks.find_after(session, first.next, limit=2)
    assert [item.id for item in [*first.items, *second.items]] == made[::-1]
    assert second.next is None


def test_a_slice_that_cannot_be_is_refused(session: Session) -> None:
    for limit in (0, 101):
        with pytest.raises(InvalidData):
            tracks.find_after(session, limit=limit)
    assert tracks.find_after(session) == tracks.Slice([], None)


def test_a_learner_sees_their_own_progress_beside_a_page_of_the_catalog_in_one_statement(
    session: Session,
    make_track: Callable[..., Track],
    make_user: Callable[..., User],
    statements: Statements,
) -> None:
    started, other = make_track(lessons=2), make_track(lessons=2)
    user, somebody = make_user(), make_user()
    learning.enroll(session, user.id, started.id)
    learning.enroll(session, somebody.id, other.id)
    learning.complete_lesson(session, user.id, started.lessons[0].id)
    with statements() as sent:
        found = tracks.progress_of(session, user.id, [started.id, other.id])
    assert {track_id: record.percent for track_id, record in found.items()} == {started.id: 50}
    assert len(sent) == 1
