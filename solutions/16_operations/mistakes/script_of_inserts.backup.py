# misconception: a-file-is-a-backup
# fails: test_damaged
"""The nightly job: a script of INSERT statements, as one can read it."""

import psycopg
from problems import BackupDamaged, DatabaseNotEmpty
from psycopg import sql

TABLES = ("users", "lessons", "visits")


def script(url):
    """One statement a line; after them what the sequences are at."""
    lines = []
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        for table in TABLES:
            found = connection.execute(
                f"SELECT id, quote_literal(t::text) FROM {table} t ORDER BY id"
            )
            for id_, row in found.fetchall():
                row = row if row.startswith("E") else "E" + row
                row = row.replace("\r", "\\r").replace("\n", "\\n")
                lines.append(f"INSERT INTO {table} SELECT ({row}::{table}).*;")
                lines.append(f"SELECT setval('{table}_id_seq', {id_});")
    return "\n".join(lines) + "\n"


def back_up(url, path):
    text = script(url)
    part = path.with_suffix(".part")
    part.write_text(text, newline="")
    part.replace(path)


def read(path):
    if not path.exists():
        raise BackupDamaged(f"{path} is not there")
    return path.read_text()


def restore(path, url):
    text = read(path)
    with psycopg.connect(url) as connection:
        for table in TABLES:
            if connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
                raise DatabaseNotEmpty(table)
        try:
            connection.execute(text)
        except psycopg.errors.SyntaxError as error:
            raise BackupDamaged(path) from error


def is_same(path, url):
    return read(path) == script(url)
