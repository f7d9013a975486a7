"""Who fills a clone too much is shut out, and nobody else."""

from __future__ import annotations

import psycopg
import pytest

from pglab.quota import Quota
from pglab.scratch import Database, Role, Scratch


def test_who_fills_a_clone_is_shut_out_and_the_neighbour_is_not(
    scratch: Scratch, notes: str
) -> None:
    greedy, quiet = (
        scratch.role(member_of="kit_test_students", statement_timeout_ms=60_000) for _ in range(2)
    )
    filled, spared = (scratch.clone(notes, grantee=role.name) for role in (greedy, quiet))
    with (
        Quota(scratch, megabytes=20, look_s=0.01) as quota,
        psycopg.connect(filled.url_for(greedy), autocommit=True) as filling,
        psycopg.connect(spared.url_for(quiet), autocommit=True) as reading,
        psycopg.connect(filled.url, autocommit=True) as judge,
    ):
        with pytest.raises(psycopg.errors.AdminShutdown):
            filling.execute(
                "INSERT INTO notes SELECT generate_series(2, 100000000), repeat('x', 1000)"
            )
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(filled.url_for(greedy))
        assert quota.exceeded == {filled.name}
        assert reading.execute("SELECT count(*) FROM notes").fetchone() == (1,)
        assert judge.execute("SELECT count(*) FROM notes").fetchone() == (1,)


def test_a_clone_below_the_limit_is_left_alone(
    scratch: Scratch, clone: Database, student: Role
) -> None:
    with scratch.quota() as quota:
        with psycopg.connect(clone.url_for(student)) as connection:
            connection.execute("INSERT INTO notes SELECT g FROM generate_series(2, 10000) AS g")
        quota.close()
        assert quota.exceeded == frozenset()
