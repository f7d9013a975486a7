"""Retrying, against conflicts that a real server makes."""

import threading
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tracker.db import unit_of_work
from tracker.errors import NotFound, TransactionConflict
from tracker.repositories import users
from tracker.services.retry import retrying


def make(session: Session, name: str) -> UUID:
    return users.create(
        session, email=f"{name}@example.com", username=name, password_hash="$argon2id$"
    ).id


def test_two_who_deadlock_both_finish(sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        first, second = make(session, "a"), make(session, "b")
        session.commit()
    both_hold_one = threading.Barrier(2)
    attempts: list[str] = []

    def change(name: str, order: tuple[UUID, UUID]) -> None:
        with sessions() as session:

            def work() -> None:
                attempts.append(name)
                with unit_of_work(session):
                    users.update_fields(session, order[0], {"bio": name})
                    if attempts.count(name) == 1:
                        both_hold_one.wait()
                    users.update_fields(session, order[1], {"bio": name})

            retrying(work)

    threads = [
        threading.Thread(target=change, args=("one", (first, second))),
        threading.Thread(target=change, args=("two", (second, first))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(attempts) == 3
    with sessions() as session:
        bios = {users.get(session, user_id).bio for user_id in (first, second)}
        assert bios == {attempts[-1]}


def test_a_serialization_failure_is_tried_again_with_fresh_reads(
    sessions: sessionmaker[Session],
) -> None:
    with sessions() as session:
        user_id = make(session, "a")
        session.commit()
    seen: list[str | None] = []

    with sessions() as session, sessions() as rival:

        def work() -> None:
            with unit_of_work(session):
                session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
                seen.append(users.get(session, user_id).bio)
                if len(seen) == 1:
                    with unit_of_work(rival):
                        users.update_fields(rival, user_id, {"bio": "rival"})
                users.update_fields(session, user_id, {"bio": f"{seen[-1]}+mine"})

        retrying(work)
        assert seen == [None, "rival"]
        assert users.get(session, user_id).bio == "rival+mine"


def conflict() -> None:
    raise TransactionConflict("again")


def test_after_the_last_attempt_the_conflict_is_passed_on() -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        conflict()

    with pytest.raises(TransactionConflict):
        retrying(work, attempts=4, sleep=lambda _: None)
    assert len(calls) == 4


def test_the_waits_may_double_each_time() -> None:
    waits: list[float] = []
    with pytest.raises(TransactionConflict):
        retrying(conflict, attempts=200, first_wait=1e-60, sleep=waits.append)
    assert len(waits) == 199
    assert all(0 <= wait <= 1e-60 * 2**place for place, wait in enumerate(waits))
    assert max(waits[150:]) > 1e-60 * 2**140


def test_another_error_is_not_tried_again() -> None:
    calls: list[int] = []

    def work() -> None:
        calls.append(1)
        raise NotFound("user", 1)

    with pytest.raises(NotFound):
        retrying(work)
    assert len(calls) == 1
