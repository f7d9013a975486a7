"""Each row as PostgreSQL writes rows, one line of JSON each, and how many there must be."""

import json
import os
import tempfile
import zlib
from collections import Counter

import psycopg
from problems import BackupDamaged, DatabaseNotEmpty

WITHOUT_PARENTS_FIRST = ["visits", "lessons", "users"]


def lines(connection):
    connection.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE READ ONLY")
    for table in WITHOUT_PARENTS_FIRST:
        for (row,) in connection.execute(f"SELECT t::text FROM {table} AS t"):
            yield json.dumps([table, row])


def back_up(url, path):
    with psycopg.connect(url) as connection:
        text = "\n".join(lines(connection))
    data = text.encode()
    handle, name = tempfile.mkstemp(dir=path.resolve().parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data + zlib.crc32(data).to_bytes(4, "big"))
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, path)


def read(path):
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise BackupDamaged("no file") from None
    data, sum_ = data[:-4], data[-4:]
    if zlib.crc32(data).to_bytes(4, "big") != sum_:
        raise BackupDamaged("checksum")
    return [tuple(json.loads(line)) for line in data.decode().splitlines()]


def restore(path, url):
    rows = read(path)
    connection = psycopg.connect(url)
    try:
        for table in WITHOUT_PARENTS_FIRST:
            if connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
                raise DatabaseNotEmpty(table)
        for table in reversed(WITHOUT_PARENTS_FIRST):
            wanted = [row for of, row in rows if of == table]
            connection.cursor().executemany(
                f"INSERT INTO {table} SELECT (%s::text::{table}).*", [(row,) for row in wanted]
            )
            for _ in wanted[:1]:
                [(last,)] = connection.execute(f"SELECT max(id) FROM {table}").fetchall()
                connection.execute(f"ALTER TABLE {table} ALTER id RESTART WITH {last + 1}")
        connection.commit()
    finally:
        connection.close()


def is_same(path, url):
    rows = read(path)
    with psycopg.connect(url) as connection:
        return Counter(rows) == Counter(tuple(json.loads(line)) for line in lines(connection))
