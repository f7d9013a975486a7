"""Loading many rows quickly: COPY them into bare tables, then build keys and indexes over all.

An index that is there while rows arrive is kept in order row by row, at random places, and a
foreign key asks for the parent of every single row. Built afterwards, an index is sorted once, and
a foreign key is one join.

Source: PostgreSQL manual, section 14.4, Populating a Database.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

from psycopg import Copy, Cursor, ProgrammingError, sql
from psycopg.pq import Format

from tracker.seeding.rows import Row

BLOCKS_IN_A_WRITE = 200


@contextmanager
def bare_tables(cursor: Cursor[Any], tables: Sequence[str]) -> Iterator[None]:
    """Take all keys, foreign keys and indexes off the tables for the block, then put them back.

    Call it in a transaction. DDL belongs to the transaction like any other statement, so if the
    block fails, or the program or the server dies, the tables are as they were, indexes and all;
    nothing has to be repaired. Nobody else can use the tables meanwhile.

    CHECK and NOT NULL stay: they look at one row at a time and cost the same now or later. So do
    triggers; those of the tracker run on UPDATE only, and COPY is none.
    """
    put_back = take_off(cursor, tables)
    yield
    # Sorting is quicker in memory. Two workers help by default, if there are processors for them.
    cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for statement in put_back:
        cursor.execute(statement)


def take_off(cursor: Cursor[Any], tables: Sequence[str]) -> list[bytes]:
    """Take all keys, foreign keys and indexes off the tables; return what puts them back."""
    statements = cursor.execute(_OFF_AND_ON, {"tables": list(tables)}).fetchall()
    for off, _ in statements:
        cursor.execute(off)
    return [on_again for _, on_again in reversed(statements)]


def empty_anew(cursor: Cursor[Any], tables: Iterable[str]) -> set[str]:
    """Give the tables that are empty a new file each, and return which these are.

    COPY may write rows into such a file as `VACUUM (FREEZE)` would leave them: nobody else can see
    it before the transaction ends. Then no later reader has to find out who may see each row.
    """
    empty = set()
    for table in tables:
        name = sql.Identifier(table)
        row = cursor.execute(sql.SQL("SELECT NOT EXISTS (SELECT FROM {})").format(name)).fetchone()
        if row == (True,):
            cursor.execute(sql.SQL("TRUNCATE {}").format(name))
            empty.add(table)
    return empty


def copy_rows(cursor: Cursor[Any], table: str, rows: Iterable[Row], *, freeze: bool) -> int:
    """COPY a stream of rows into a table, in binary, and return how many there were.

    Arguments:
        rows: all with the same columns in the same order.
        freeze: `empty_anew` has named the table.
    """
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return 0
    with _copy(cursor, table, list(first), freeze=freeze) as copy:
        for row in chain([first], rows):
            copy.write_row(list(row.values()))
    return cursor.rowcount


def copy_packed(
    cursor: Cursor[Any],
    table: str,
    columns: Sequence[str],
    rows: Iterable[bytes],
    *,
    freeze: bool,
) -> int:
    """COPY a stream of rows that are in the binary format already, and return how many there were.

    Arguments:
        rows: in blocks of one or more.
        freeze: `empty_anew` has named the table.

    Source: PostgreSQL manual, COPY, "Binary Format".
    """
    rows = iter(rows)
    with _copy(cursor, table, columns, freeze=freeze) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))  # signature, no flags, no extension
        while block := b"".join(islice(rows, BLOCKS_IN_A_WRITE)):
            copy.write(block)
        copy.write(b"\xff\xff")  # the number of columns of a row that is none: the end
    return cursor.rowcount


@contextmanager
def _copy(
    cursor: Cursor[Any], table: str, columns: Sequence[str], *, freeze: bool
) -> Iterator[Copy]:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    into = sql.Identifier(table)
    # Binary values carry no type, so psycopg has to know the types of the columns beforehand.
    cursor.execute(sql.SQL("SELECT {} FROM {} LIMIT 0").format(names, into))
    types = [_packed_as(cursor, column.type_code) for column in cursor.description or ()]
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary, FREEZE {})").format(
        into, names, sql.Literal(freeze)
    )
    with cursor.copy(statement) as copy:
        copy.set_types(types)
        yield copy


def _packed_as(cursor: Cursor[Any], oid: int) -> int | str:
    """Return the type whose binary format a column takes; that of an enum or char(n) is text."""
    try:
        cursor.adapters.get_dumper_by_oid(oid, Format.BINARY)
    except ProgrammingError:
        return "text"
    return oid


# PostgreSQL itself writes the statements that take something off and put it on again, so that
# nothing is listed twice. In this order: a foreign key needs the key that it points at.
_OFF_AND_ON = b"""
SELECT convert_to(off, 'UTF8'), convert_to(on_again, 'UTF8') FROM (
    SELECT CASE contype WHEN 'f' THEN 1 ELSE 2 END AS step, conname AS name,
           format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname) AS off,
           format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s',
                  conrelid::regclass, conname, pg_get_constraintdef(oid)) AS on_again
      FROM pg_constraint
     WHERE conrelid = ANY (%(tables)s::regclass[]) AND contype IN ('p', 'u', 'x', 'f')
        OR confrelid = ANY (%(tables)s::regclass[])
    UNION ALL
    SELECT 3, relname, format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
      FROM pg_index JOIN pg_class c ON c.oid = indexrelid
     WHERE indrelid = ANY (%(tables)s::regclass[])
       AND NOT EXISTS (SELECT FROM pg_constraint
                        WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
) AS statements
ORDER BY step, name
"""
