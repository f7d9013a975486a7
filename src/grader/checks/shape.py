"""The shape of a database: everything that a migration can make or leave behind, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, LiteralString

Shape = dict[str, str]
"""What there is, in words (``column lessons.level``), with its definition."""

_QUERIES: tuple[LiteralString, ...] = (
    "SELECT pg_catalog.format('%s %s', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'S' THEN"
    " 'sequence' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'I' THEN 'index'"
    " ELSE 'table' END, c.relname) AS name, CASE WHEN c.relkind IN ('i', 'I') THEN"
    " pg_catalog.pg_get_indexdef(c.oid) WHEN c.relkind IN ('v', 'm') THEN"
    " pg_catalog.pg_get_viewdef(c.oid) ELSE '' END AS definition"
    " FROM pg_catalog.pg_class c"
    " WHERE c.relnamespace = 'public'::pg_catalog.regnamespace"
    " AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'i', 'I')",
    "SELECT pg_catalog.format('column %s.%s', c.relname, a.attname), pg_catalog.concat_ws(' ',"
    " pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,"
    " 'DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid),"
    " nullif(a.attidentity::text, ''), nullif(a.attgenerated::text, ''))"
    " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
    " LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
    " WHERE c.relnamespace = 'public'::pg_catalog.regnamespace"
    " AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped",
    "SELECT pg_catalog.format('constraint %s on %s', n.conname, c.relname),"
    " pg_catalog.pg_get_constraintdef(n.oid) FROM pg_catalog.pg_constraint n"
    " JOIN pg_catalog.pg_class c ON c.oid = n.conrelid"
    " WHERE c.relnamespace = 'public'::pg_catalog.regnamespace AND n.contype <> 'n'",
    "SELECT pg_catalog.format('type %s', t.typname), (SELECT pg_catalog.string_agg("
    "e.enumlabel::text, ', ' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e"
    " WHERE e.enumtypid = t.oid)"
    " FROM pg_catalog.pg_type t WHERE t.typnamespace = 'public'::pg_catalog.regnamespace"
    " AND t.typtype IN ('e', 'd')",
    "SELECT pg_catalog.format('function %s', p.proname), p.prosrc FROM pg_catalog.pg_proc p"
    " WHERE p.pronamespace = 'public'::pg_catalog.regnamespace",
    "SELECT pg_catalog.format('trigger %s on %s', t.tgname, c.relname),"
    " pg_catalog.pg_get_triggerdef(t.oid) FROM pg_catalog.pg_trigger t"
    " JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid"
    " WHERE c.relnamespace = 'public'::pg_catalog.regnamespace AND NOT t.tgisinternal",
)
_OF_ALEMBIC = "alembic_version"


def shape_of(query: Callable[[LiteralString], Sequence[dict[str, Any]]]) -> Shape:
    """The shape of the schema ``public``, the version table of Alembic left out.

    Args:
        query: sends a query and gives its rows.
    """
    found: Shape = {}
    for text in _QUERIES:
        for row in query(text):
            name, definition = (str(value or "") for value in row.values())
            if _OF_ALEMBIC not in name:
                found[name] = definition
    return dict(sorted(found.items()))


def differences(before: Shape, after: Shape) -> list[str]:
    """In words, what one shape has and the other has not, or has otherwise."""
    told = [f"{name} is gone" for name in before if name not in after]
    told += [f"{name} was not there before" for name in after if name not in before]
    told += [
        f"{name} was {before[name]} and is {after[name]}"
        for name in before
        if name in after and before[name] != after[name]
    ]
    return sorted(told)
