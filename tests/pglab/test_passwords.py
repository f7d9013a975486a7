from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from pglab.passwords import new_password, scram_verifier
from pglab.scratch import Scratch
from pglab.servers import Server


def test_the_verifier_lets_in_the_password_and_no_other(each_server: Server) -> None:
    with Scratch(each_server) as scratch:
        role = scratch.role()
        database = scratch.clone(scratch.template("empty", lambda url: None), grantee=role.name)
        with psycopg.connect(database.url_for(role)) as connection:
            assert connection.execute("SELECT session_user").fetchone() == (role.name,)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(each_server.url(database.name, role.name, new_password()))


def test_the_server_stores_the_verifier_as_it_is(server: Server) -> None:
    verifier = scram_verifier("secret", iterations=4096)
    with psycopg.connect(server.admin_url) as connection:
        make = sql.SQL("CREATE ROLE stored PASSWORD {}").format(sql.Literal(verifier))
        connection.execute(make)
        found = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'stored'")
        assert found.fetchone() == (verifier,)
        connection.rollback()


def test_passwords_and_salts_are_never_the_same_twice() -> None:
    assert len({new_password() for _ in range(100)}) == 100
    assert len({scram_verifier("secret") for _ in range(100)}) == 100
    assert min(len(new_password()) for _ in range(100)) >= 32
