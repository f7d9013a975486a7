"""The image that `.ci/postgres-image/build` makes, or any other, keeps the official contract."""

import os

import psycopg
import pytest

pytestmark = pytest.mark.container


@pytest.fixture(scope="module")
def image():
    return os.environ.get("KIT_POSTGRES_IMAGE", "postgres:18")


@pytest.fixture
def engine():
    import docker

    client = docker.from_env(timeout=60)
    yield client
    client.close()


@pytest.fixture
def started(image, monkeypatch):
    """A container with a user, a password, a database, a start-up script and a setting of ours."""
    monkeypatch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.community.postgres import PostgresContainer

    container = PostgresContainer(
        image, username="ada", password="a 'quoted' word", dbname="school", driver="psycopg"
    ).with_command("-c fsync=off -c max_connections=33")
    script = b"""#!/bin/sh
psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c 'CREATE TABLE made_at_start ()'
"""
    container = container.with_copy_into_container(
        script, "/docker-entrypoint-initdb.d/10-table.sh", 0o755
    )
    with container:
        yield container


def test_the_user_the_database_the_script_and_the_arguments_are_honored(started):
    with psycopg.connect(
        host=started.get_container_host_ip(),
        port=started.get_exposed_port(5432),
        user="ada",
        password="a 'quoted' word",
        dbname="school",
    ) as connection:
        query = "SELECT current_setting('fsync'), current_setting('max_connections')"
        assert connection.execute(query).fetchone() == ("off", "33")
        query = "SELECT rolsuper FROM pg_roles WHERE rolname = 'ada'"
        assert connection.execute(query).fetchone() == (True,)
        query = "SELECT to_regclass('made_at_start') IS NOT NULL, getdatabaseencoding()"
        assert connection.execute(query).fetchone() == (True, "UTF8")


def test_a_wrong_password_is_refused(started):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(
            host=started.get_container_host_ip(),
            port=started.get_exposed_port(5432),
            user="ada",
            password="wrong",
            dbname="school",
        )


def test_no_server_starts_without_a_password(engine, image):
    from docker.errors import ContainerError

    with pytest.raises(ContainerError) as refused:
        engine.containers.run(image, remove=True)
    assert refused.value.exit_status == 1
    assert b"POSTGRES_PASSWORD" in refused.value.stderr
