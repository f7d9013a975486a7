from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, fields
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tracker.errors import EmailTaken, InvalidData, NotFound, UsernameTaken
from tracker.models import Role, Track
from tracker.repositories import progress, users
from tracker.services import learning

Statements = Callable[[], AbstractContextManager[list[str]]]


def create(session: Session, name: str = "alice", **more: str) -> users.UserSummary:
    return users.create(
        session, **{"email": f"{name}@example.com", "username": name, "password_hash": "…", **more}
    )


def test_a_new_user_is_an_active_student_with_a_key_and_dates(session: Session) -> None:
    user = create(session, first_name="Alice")
    assert (user.email, user.username, user.first_name) == ("alice@example.com", "alice", "Alice")
    assert (user.role, user.is_active, user.last_name) == (Role.STUDENT, True, None)
    assert user.id.version == 7
    assert user.created_at == user.updated_at


def test_no_answer_has_a_place_for_a_password_hash(session: Session) -> None:
    user = users.create(
        session, email="a@example.com", username="a", password_hash="$argon2id$secret"
    )
    assert "secret" not in repr(user)
    assert "secret" not in repr(users.get_detail(session, user.id))
    assert "secret" not in repr(users.find(session))
    for answer in (users.UserSummary, users.UserDetail):
        assert not [field.name for field in fields(answer) if "password" in field.name]


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@Example.COM"])
def test_an_email_address_is_taken_in_whatever_case_it_is_written(
    session: Session, email: str
) -> None:
    create(session)
    with pytest.raises(EmailTaken):
        create(session, "other", email=email)


def test_a_username_is_taken_in_whatever_case_it_is_written(session: Session) -> None:
    create(session)
    with pytest.raises(UsernameTaken):
        create(session, "other", username="Alice")


def test_nothing_is_committed(session: Session) -> None:
    create(session)
    session.rollback()
    assert not users.exists(session, "alice")


def test_users_are_found_by_text_in_any_name_and_any_case(session: Session) -> None:
    create(session, "xa", first_name="Ángela")
    create(session, "xb", last_name="de la Cruz")
    create(session, "cruzader")
    create(session, "nobody")
    found = users.find(session, search="CRUZ")
    assert {user.username for user in found.items} == {"xb", "cruzader"}
    assert [user.username for user in users.find(session, search="ángel").items] == ["xa"]


@pytest.mark.parametrize(
    ("search", "expected"),
    [("%", {"percent"}), ("_", {"under"}), ("\\", {"back"}), ("100%", {"percent"}), ("1__", set())],
)
def test_wildcards_of_like_are_letters(session: Session, search: str, expected: set[str]) -> None:
    create(session, "percent", first_name="100% sure")
    create(session, "under", first_name="a_b")
    create(session, "back", first_name="a\\b")
    create(session, "plain", first_name="100 sure")
    assert {user.username for user in users.find(session, search=search).items} == expected


def test_a_character_that_no_text_can_hold_is_refused_in_words(session: Session) -> None:
    with pytest.raises(InvalidData, match="NUL"):
        users.find(session, search="a\x00b")


def test_filters_narrow_the_list_together(session: Session) -> None:
    teacher = create(session, "teacher")
    users.update_fields(session, teacher.id, {"role": Role.INSTRUCTOR})
    gone = create(session, "gone")
    users.deactivate(session, gone.id)
    create(session, "student")

    def names(**filters: object) -> set[str]:
        return {user.username for user in users.find(session, **filters).items}

    assert names() == {"teacher", "student"}
    assert names(role=Role.INSTRUCTOR) == {"teacher"}
    assert names(is_active=False) == {"gone"}
    assert names(is_active=None) == {"teacher", "student", "gone"}
    assert names(is_active=None, role=Role.STUDENT, search="o") == {"gone"}


def test_pages_hold_everybody_once_newest_first_with_the_total(session: Session) -> None:
    made = [create(session, f"user{number}") for number in range(7)]
    pages = [users.find(session, page=page, limit=3) for page in (1, 2, 3, 4)]
    assert [len(page.items) for page in pages] == [3, 3, 1, 0]
    assert [user.id for page in pages for user in page.items] == [user.id for user in made[::-1]]
    assert {(page.total, page.total_pages) for page in pages} == {(7, 3)}


@pytest.mark.parametrize(("page", "limit"), [(0, 10), (-1, 10), (1, 0), (1, 101)])
def test_a_page_that_cannot_be_is_refused(session: Session, page: int, limit: int) -> None:
    with pytest.raises(InvalidData):
        users.find(session, page=page, limit=limit)


def test_an_update_changes_what_is_given_and_nothing_else(session: Session) -> None:
    before = create(session, first_name="Alice", last_name="Johnson")
    after = users.update_fields(session, before.id, {"first_name": "Alicia"})
    assert asdict(after) == {**asdict(before), "first_name": "Alicia"}


def test_an_update_can_empty_a_field(session: Session) -> None:
    user = create(session, first_name="Alice", last_name="Johnson")
    assert users.update_fields(session, user.id, {"first_name": None}).first_name is None
    assert users.update_fields(session, user.id, {"last_name": ""}).last_name == ""


def test_an_update_of_nothing_changes_nothing(session: Session) -> None:
    user = create(session)
    assert users.update_fields(session, user.id, {}) == user


@pytest.mark.parametrize("field", ["password_hash", "id", "created_at", "is_active", "nonsense"])
def test_an_update_reaches_only_the_fields_it_is_meant_for(session: Session, field: str) -> None:
    user = create(session)
    with pytest.raises(InvalidData, match=field):
        users.update_fields(session, user.id, {field: "x"})


def test_an_update_to_a_taken_username_is_refused(session: Session) -> None:
    create(session, "alice")
    bob = create(session, "bob")
    with pytest.raises(UsernameTaken):
        users.update_fields(session, bob.id, {"username": "ALICE"})


def test_a_deactivated_user_is_out_of_the_list_but_all_rows_stay(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(lessons=1)
    learner = create(session)
    learning.enroll(session, learner.id, track.id)
    users.deactivate(session, learner.id)
    assert learner.id not in {user.id for user in users.find(session).items}
    assert not users.get(session, learner.id).is_active
    assert users.exists(session, "alice")
    assert len(progress.of_user(session, learner.id)) == 1


def test_a_removed_user_takes_tracks_and_progress_along(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(lessons=2)
    learner = create(session)
    learning.enroll(session, learner.id, track.id)
    users.remove(session, learner.id)
    assert session.scalar(text("SELECT count(*) FROM lesson_progress")) == 0
    assert session.scalar(text("SELECT count(*) FROM lessons")) == 2
    users.remove(session, track.author_id)
    assert session.scalar(text("SELECT count(*) FROM lessons")) == 0


def test_somebody_exists_by_email_or_username_in_any_case(session: Session) -> None:
    create(session)
    assert users.exists(session, "alice@EXAMPLE.com")
    assert users.exists(session, "Alice")
    assert not users.exists(session, "alic")


def test_who_is_not_there_is_named_in_the_error(session: Session, stranger: UUID) -> None:
    for attempt in (
        lambda: users.get(session, stranger),
        lambda: users.get_detail(session, stranger),
        lambda: users.update_fields(session, stranger, {"bio": "x"}),
        lambda: users.deactivate(session, stranger),
        lambda: users.remove(session, stranger),
    ):
        with pytest.raises(NotFound, match=str(stranger)):
            attempt()


def test_the_password_hash_is_found_for_active_users_only(session: Session) -> None:
    user = create(session, password_hash="$argon2id$x")
    assert users.password_hash_of(session, "ALICE") == (user.id, "$argon2id$x")
    assert users.password_hash_of(session, "alice@example.com") == (user.id, "$argon2id$x")
    users.deactivate(session, user.id)
    assert users.password_hash_of(session, "alice") is None


def test_the_detail_counts_lessons_and_lists_what_is_completed(
    session: Session, make_track: Callable[..., Track]
) -> None:
    track = make_track(lessons=3)
    author = track.author
    empty = make_track(title="Empty", author=author)
    learning.enroll(session, author.id, track.id)
    learning.complete_lesson(session, author.id, track.lessons[1].id)
    detail = users.get_detail(session, author.id)
    assert {(t.id, t.lesson_count) for t in detail.tracks} == {(track.id, 3), (empty.id, 0)}
    assert [done.lesson_id for done in detail.completed_lessons] == [track.lessons[1].id]
    assert detail.completed_lessons[0].title == "Lesson 2"


def test_the_detail_takes_three_statements_whatever_it_holds(
    session: Session, make_track: Callable[..., Track], statements: Statements
) -> None:
    author = make_track(lessons=1).author
    counts = []
    for _ in range(2):
        with statements() as sent:
            users.get_detail(session, author.id)
        counts.append(len(sent))
        for _ in range(5):
            track = make_track(lessons=5, author=author)
            learning.enroll(session, author.id, track.id)
    assert counts == [3, 3]
