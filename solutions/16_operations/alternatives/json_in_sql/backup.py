"""One JSON document that PostgreSQL makes and reads itself, in a gzip file."""

import gzip
import zlib

from problems import BackupDamaged, DatabaseNotEmpty
from sqlalchemy import create_engine, text

MAKE = """
SELECT json_build_object(
    'users', (SELECT coalesce(json_agg(u ORDER BY id), '[]') FROM users u),
    'lessons', (SELECT coalesce(json_agg(l ORDER BY id), '[]') FROM lessons l),
    'visits', (SELECT coalesce(json_agg(v ORDER BY id), '[]') FROM visits v))::text
"""
PUT = "INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, (:all)::json -> '{0}')"
NEXT = "SELECT setval('{0}_id_seq', 1 + (SELECT max(id) FROM {0}))"


def _document(url):
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.scalar(text(MAKE))
    finally:
        engine.dispose()


def _load(path):
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            document = file.read()
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        raise BackupDamaged(str(path)) from error
    if not document:
        raise BackupDamaged(str(path))
    return document


def back_up(url, path):
    document = _document(url)
    new = path.parent / f".{path.name}"
    with gzip.open(new, "wt", encoding="utf-8", newline="") as file:
        file.write(document)
    new.rename(path)


def restore(path, url):
    document = _load(path)
    engine = create_engine(url)
    with engine.begin() as connection:
        for name in ("users", "lessons", "visits"):
            if connection.scalar(text(f"SELECT count(*) FROM {name}")) > 0:
                raise DatabaseNotEmpty(name)
        for name in ("users", "lessons", "visits"):
            connection.execute(text(PUT.format(name)), {"all": document})
            connection.execute(text(NEXT.format(name)))
    engine.dispose()


def is_same(path, url):
    return _load(path) == _document(url)
