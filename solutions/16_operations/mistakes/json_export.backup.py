# misconception: export-is-a-backup
# fails: test_there_and_back
"""The nightly job: all rows as JSON, which every program can read."""

import json
from hashlib import sha256

import psycopg
from problems import BackupDamaged, DatabaseNotEmpty
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

TABLES = ("users", "lessons", "visits")


def export(url):
    with psycopg.connect(url, row_factory=dict_row) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        found = {t: connection.execute(f"SELECT * FROM {t} ORDER BY id").fetchall() for t in TABLES}
    return json.dumps(found, default=str)


def back_up(url, path):
    document = export(url)
    new = path.with_suffix(".new")
    new.write_text(sha256(document.encode()).hexdigest() + document)
    new.replace(path)


def read(path):
    try:
        content = path.read_text()
    except (OSError, UnicodeError):
        raise BackupDamaged(path) from None
    if sha256(content[64:].encode()).hexdigest() != content[:64]:
        raise BackupDamaged(path)
    return content[64:]


def restore(path, url):
    tables = json.loads(read(path))
    with psycopg.connect(url) as connection:
        for table in TABLES:
            if connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
                raise DatabaseNotEmpty(table)
        for table, rows in tables.items():
            for row in rows:
                values = [Jsonb(v) if isinstance(v, dict) else v for v in row.values()]
                places = ", ".join(["%s"] * len(values))
                connection.execute(f"INSERT INTO {table} VALUES ({places})", values)
            connection.execute(
                f"SELECT setval('{table}_id_seq', max(id)) FROM {table} HAVING count(*) > 0"
            )


def is_same(path, url):
    return read(path) == export(url)
