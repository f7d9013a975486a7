from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from pglab.urls import database_url, masked, parameters_of, sqlalchemy_url, with_database

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
hosts = st.sampled_from(
    ["localhost", "db.example.org", "::1", "10.0.0.1", "/var/run/x", "/tmp/a b"]
)


@given(names, names, names, hosts, st.integers(1, 65535))
def test_libpq_reads_what_was_written(
    database: str, user: str, password: str, host: str, port: int
) -> None:
    url = database_url(database, user=user, password=password, host=host, port=port)
    assert conninfo_to_dict(url) == {
        "dbname": database,
        "user": user,
        "password": password,
        "host": host,
        "port": str(port),
    }


@given(names, names, names, hosts)
def test_sqlalchemy_reads_the_same(database: str, user: str, password: str, host: str) -> None:
    url = make_url(sqlalchemy_url(database_url(database, user=user, password=password, host=host)))
    assert url.drivername == "postgresql+psycopg"
    assert (url.database, url.username, url.password) == (database, user, password)
    assert host in {url.host, url.query.get("host")}


@given(names, names)
def test_another_role_never_gets_the_password_of_the_first(database: str, user: str) -> None:
    url = "postgresql://postgres:secret@/postgres?host=/tmp/x&port=5432&sslmode=disable"
    changed = parameters_of(with_database(url, database, user, None))
    assert changed == {
        "dbname": database,
        "user": user,
        "host": "/tmp/x",
        "port": "5432",
        "sslmode": "disable",
    }


def test_options_of_the_url_are_kept() -> None:
    url = "postgres://u:p@h:1/d?sslmode=require&options=-c%20statement_timeout%3D5"
    assert parameters_of(with_database(url, "other", None, None)) == {
        "dbname": "other",
        "user": "u",
        "password": "p",
        "host": "h",
        "port": "1",
        "sslmode": "require",
        "options": "-c statement_timeout=5",
    }


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_way_to_write_the_scheme_is_read(scheme: str) -> None:
    assert parameters_of(f"{scheme}://u@h/d") == {"user": "u", "host": "h", "dbname": "d"}


@pytest.mark.parametrize("text", ["postgresql://u:secret@[/d", "secret", "mysql://u:secret@h/d"])
def test_what_is_no_url_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="not a PostgreSQL connection URL") as caught:
        parameters_of(text)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ada:s3cret@host/db",
        "postgresql+psycopg://ada:s3cret@/db?host=/tmp/x",
        "postgresql://ada:s3cret:s3cret@host/db",
        "postgresql://ada:s3cret@s3cret@host/db",
        "postgresql://host/db?user=ada&password=s3cret&sslmode=require",
        "host=h password=s3cret user=ada",
        "host=h password='s3cret s3cret\\' s3cret' user=ada",
        "first postgresql://a:s3cret@h/d then postgresql://b:s3cret@h/d",
        "PASSWORD = s3cret",
    ],
)
def test_a_masked_text_does_not_show_the_password(text: str) -> None:
    assert "s3cret" not in masked(text)
    assert "***" in masked(text)


@given(names, names, hosts)
def test_what_the_kit_writes_is_always_masked(user: str, password: str, host: str) -> None:
    assume(password not in {"*", "**", "***"})
    url = database_url("d", user=user, password=password, host=host, port=1)
    other = database_url("d", user=user, password="***", host=host, port=1)
    assert masked(url) == other.replace("%2A%2A%2A", "***")


def test_a_text_without_a_password_stays_as_it_is() -> None:
    for text in ("postgresql://host:5432/db", "see https://example.org:80/a@b", "no URL at all"):
        assert masked(text) == text
