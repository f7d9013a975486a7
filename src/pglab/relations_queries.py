"""The questions to the catalog that `pglab.relations` asks."""

from __future__ import annotations

__all__ = ["COLUMNS", "CONSTRAINTS", "INDEXES", "OTHERS", "RELATIONS", "VERSION"]

_TEXT_KEPT = 4_000
_OUTSIDE = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'"
    " AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
)
_TABLES = (
    f"pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND {_OUTSIDE}"
)
_NAMES_OF = (
    "(SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.place)"
    " FROM pg_catalog.unnest({numbers}) WITH ORDINALITY AS k (attnum, place)"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = {table} AND a.attnum = k.attnum)"
)

RELATIONS = f"""
SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
       c.relpersistence::text AS persistence, c.relispartition AS partition,
       c.relrowsecurity AS row_security
FROM {_TABLES} ORDER BY 2, 3
"""  # noqa: S608 - made of this module's own texts

# A domain may be over a domain: its innermost type decides what it can hold.
COLUMNS = f"""
WITH RECURSIVE inner_type AS (
    SELECT t.oid AS outermost, t.oid, t.typtype, t.typbasetype, t.typtypmod
    FROM pg_catalog.pg_type t
    UNION ALL
    SELECT i.outermost, t.oid, t.typtype, t.typbasetype,
           CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE i.typtypmod END
    FROM inner_type i JOIN pg_catalog.pg_type t ON i.typtype = 'd' AND t.oid = i.typbasetype
)
SELECT c.oid, a.attname::text AS name,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       pg_catalog.format_type(i.oid, NULL) AS base_type,
       CASE WHEN i.oid IN (1042, 1043) AND size.modifier > 4 THEN size.modifier - 4 END AS size,
       NOT (a.attnotnull OR (SELECT t.typnotnull FROM pg_catalog.pg_type t
                             WHERE t.oid = a.atttypid)) OR EXISTS (
           SELECT FROM pg_catalog.pg_constraint o
           WHERE o.conrelid = c.oid AND o.contype = 'n' AND o.conkey[1] = a.attnum
             AND NOT o.convalidated
       ) AS nullable,
       CASE WHEN a.attgenerated = '' THEN coalesce(
           pg_catalog.left(pg_catalog.pg_get_expr(d.adbin, d.adrelid), {_TEXT_KEPT}),
           (SELECT t.typdefault FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid)
       ) END AS default,
       a.attidentity <> '' AS identity, a.attgenerated <> '' AS generated,
       (SELECT pg_catalog.array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
        FROM pg_catalog.pg_enum e WHERE e.enumtypid = i.oid) AS values
FROM {_TABLES}
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN inner_type i ON i.outermost = a.atttypid AND i.typtype <> 'd'
CROSS JOIN LATERAL (SELECT CASE WHEN a.atttypid = i.oid THEN a.atttypmod ELSE i.typtypmod END
                    AS modifier) AS size
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
ORDER BY c.oid, a.attnum
"""  # noqa: S608 - made of this module's own texts

INDEXES = f"""
SELECT c.oid, x.relname::text AS name, i.indnkeyatts AS keys,
       (SELECT pg_catalog.array_agg(coalesce(
                   a.attname::text,
                   pg_catalog.left(
                       pg_catalog.pg_get_indexdef(i.indexrelid, k.place::int, true), {_TEXT_KEPT}
                   )
               ) ORDER BY k.place)
        FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
            AND k.attnum <> 0) AS parts,
       (SELECT pg_catalog.array_agg(p.opcname::text ORDER BY k.place)
        FROM pg_catalog.unnest(i.indclass::oid[]) WITH ORDINALITY AS k (class, place)
        JOIN pg_catalog.pg_opclass p ON p.oid = k.class) AS opclasses,
       i.indisunique AND coalesce(o.contype <> 'x', true)
           AND NOT coalesce((pg_catalog.to_jsonb(o) ->> 'conperiod')::boolean, false) AS unique,
       i.indisprimary AS primary, m.amname::text AS method,
       pg_catalog.left(pg_catalog.pg_get_expr(i.indpred, i.indrelid), {_TEXT_KEPT}) AS where,
       i.indisvalid AND i.indisready AND i.indislive AS valid,
       NOT i.indnullsnotdistinct AS nulls_distinct, NOT i.indimmediate AS deferrable,
       o.conname::text AS constraint, i.indexprs IS NOT NULL AS expressions,
       i.indexrelid AS number, pg_catalog.pg_relation_size(i.indexrelid)::bigint AS bytes,
       pg_catalog.left(pg_catalog.pg_get_indexdef(i.indexrelid), {_TEXT_KEPT}) AS definition
FROM {_TABLES}
JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = x.relam
LEFT JOIN pg_catalog.pg_constraint o ON o.conindid = i.indexrelid AND o.conrelid = c.oid
    AND o.contype IN ('p', 'u', 'x')
ORDER BY c.oid, i.indisprimary DESC, 2
"""  # noqa: S608 - made of this module's own texts

# A foreign key to a partitioned table has one more entry for each partition: those are left out.
CONSTRAINTS = f"""
SELECT c.oid, o.conname::text AS name, o.contype::text AS type,
       {_NAMES_OF.format(numbers="o.conkey", table="o.conrelid")} AS columns,
       CASE WHEN tn.nspname = 'public' THEN t.relname::text
            ELSE tn.nspname || '.' || t.relname END AS target,
       {_NAMES_OF.format(numbers="o.confkey", table="o.confrelid")} AS target_columns,
       o.confdeltype::text AS on_delete, o.confupdtype::text AS on_update,
       o.condeferrable AS deferrable, o.convalidated AS validated,
       coalesce((pg_catalog.to_jsonb(o) ->> 'conenforced')::boolean, true) AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_trigger g
           WHERE g.tgconstraint = o.oid AND g.tgenabled NOT IN ('O', 'A')
       ) AS enforced,
       pg_catalog.left(pg_catalog.pg_get_constraintdef(o.oid), {_TEXT_KEPT}) AS definition
FROM {_TABLES}
JOIN pg_catalog.pg_constraint o ON o.conrelid = c.oid AND o.contype IN ('c', 'f', 'x')
    AND NOT (o.contype = 'f' AND o.conparentid <> 0 AND o.confrelid <> (
        SELECT p.confrelid FROM pg_catalog.pg_constraint p WHERE p.oid = o.conparentid))
LEFT JOIN pg_catalog.pg_class t ON t.oid = o.confrelid
LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
ORDER BY c.oid, 2
"""  # noqa: S608 - made of this module's own texts

OTHERS = f"""
SELECT * FROM (
    SELECT c.oid, 'trigger' AS what, g.tgname::text AS name, g.tgenabled IN ('O', 'A') AS enabled,
           pg_catalog.left(pg_catalog.pg_get_triggerdef(g.oid), {_TEXT_KEPT}) AS definition
    FROM {_TABLES} JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT c.oid, 'rule', r.rulename::text, r.ev_enabled <> 'D', NULL
    FROM {_TABLES} JOIN pg_catalog.pg_rewrite r ON r.ev_class = c.oid
        AND r.rulename <> '_RETURN'
    UNION ALL
    SELECT c.oid, 'policy', p.polname::text, true, NULL
    FROM {_TABLES} JOIN pg_catalog.pg_policy p ON p.polrelid = c.oid
) AS others ORDER BY 1, 2, 3
"""  # noqa: S608 - made of this module's own texts

# Whatever the others read of a user's own stands in rows of these; each version of a row has a
# place and a transaction of its own. An index grows without any of them being written.
_FIRST_OF_USERS = 16_384
_READ = (
    ("namespace", "oid"),
    ("class", "oid"),
    ("attribute", "attrelid"),
    ("attrdef", "oid"),
    ("type", "oid"),
    ("enum", "oid"),
    ("index", "indexrelid"),
    ("constraint", "oid"),
    ("trigger", "oid"),
    ("rewrite", "oid"),
    ("policy", "oid"),
    ("proc", "oid"),
)
_VERSIONS = " UNION ALL ".join(
    f"SELECT {number} AS catalog, r.xmin, r.ctid FROM pg_catalog.pg_{name} r"  # noqa: S608 - names from the tuple above, nothing from outside
    f" WHERE r.{key} >= {_FIRST_OF_USERS}"
    for number, (name, key) in enumerate(_READ)
)
VERSION = f"""
SELECT (SELECT pg_catalog.sum(pg_catalog.hashtextextended(
                   pg_catalog.concat(v.catalog, ' ', v.xmin, ' ', v.ctid), 0))
        FROM ({_VERSIONS}) AS v) AS version,
       (SELECT pg_catalog.jsonb_object_agg(i.indexrelid, pg_catalog.pg_relation_size(i.indexrelid))
        FROM pg_catalog.pg_index i WHERE i.indexrelid >= {_FIRST_OF_USERS}) AS sizes
"""  # noqa: S608 - made of the texts above, nothing from outside
