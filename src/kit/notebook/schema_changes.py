"""``%schema_diff``: what differs between two schemas: tables, columns, rules, indexes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kit.notebook import places
from kit.notebook.er_diagrams import short_type
from kit.notebook.showing import Shown, framed, table
from pglab.relations import Column, Relation, read_relations

Difference = tuple[str, str, str]
"""``+``, ``-`` or ``~``; the table; and what is there, was there, or has become of it."""

_WORDS = {"+": "new", "-": "gone", "~": "changed"}
_seen: dict[places.Where, list[Relation]] = {}
"""Schemas at the last look, by database."""


def schema_diff(before: Any = None, after: Any = None) -> Shown:
    """What has changed in a schema.

    Args:
        before: a database, as `kit.notebook.places.url_of` takes it; left out, the one in use as
            it was at the last look. The first look only remembers.
        after: a database; left out, the one in use.

    Raises:
        NotebookError: one of them is no database.
    """
    with places.watcher(after) as connection:
        where, now = places.where(connection), read_relations(connection)
    if before is not None:
        with places.watcher(before) as connection:
            was: list[Relation] | None = read_relations(connection)
    else:
        was, _seen[where] = _seen.get(where), now
    if was is None:
        text = "Remembered. Change a table, and write %schema_diff again."
        return Shown(text, framed("verdict", f"<p>{text}</p>"))
    found = differences(was, now)
    if not found:
        text = "The schema is the same."
        return Shown(text, framed("verdict", f"<p>{text}</p>"))
    rows = [(name, f"{sign} {_WORDS[sign]}", what) for sign, name, what in found]
    return table(rows, ("table", "", "what"), "What has changed in the schema")


def forget() -> None:
    """Forget every look."""
    _seen.clear()


def differences(before: Sequence[Relation], after: Sequence[Relation]) -> list[Difference]:
    """Every difference, by table."""
    old, new = ({r.title: r for r in relations} for relations in (before, after))
    found: list[Difference] = []
    for name in sorted({*old, *new}):
        if name not in old:
            found.append(("+", name, f"{new[name].kind} with {_columns(new[name])}"))
            found += _of_parts(name, {}, _parts(new[name]))
        elif name not in new:
            found.append(("-", name, old[name].kind))
        else:
            found += _of_columns(name, old[name], new[name])
            found += _of_parts(name, _parts(old[name]), _parts(new[name]))
    return found


def _columns(relation: Relation) -> str:
    return ", ".join(f"{c.name} {_described(c)}" for c in relation.columns) or "no columns"


def _described(column: Column) -> str:
    """A column's definition, as it would be written."""
    parts = [short_type(column.type)]
    parts += ["NOT NULL"] * (not column.nullable)
    parts += ["GENERATED AS IDENTITY"] * column.identity
    if column.default is not None:
        parts.append(
            f"{'GENERATED AS' if column.generated else 'DEFAULT'} {short_type(column.default)}"
        )
    parts += [f"({', '.join(column.values)})"] * bool(column.values)
    return " ".join(parts)


def _of_columns(name: str, before: Relation, after: Relation) -> Iterator[Difference]:
    old, new = ({c.name: _described(c) for c in r.columns} for r in (before, after))
    for column, described in new.items():
        if column not in old:
            yield "+", name, f"column {column} {described}"
        elif old[column] != described:
            yield "~", name, f"column {column}: {old[column]} → {described}"
    for column in old:
        if column not in new:
            yield "-", name, f"column {column}"


def _parts(relation: Relation) -> dict[str, str]:
    """Keys, rules, indexes, triggers and policies by name, each as it is defined."""
    parts: dict[str, str] = {}
    for index in relation.indexes:
        kind = "primary key" if index.primary else "unique" if index.unique else "index"
        where = f" WHERE {index.where}" if index.where else ""
        how = "" if index.method == "btree" else f" USING {index.method}"
        include = f" INCLUDE ({', '.join(index.include)})" if index.include else ""
        invalid = "" if index.valid else " (not valid)"
        text = f"({', '.join(index.columns)}){include}{how}{where}{invalid}"
        parts[f"{kind} {index.name}"] = text
    for key in relation.foreign_keys:
        parts[f"foreign key {key.name}"] = (
            f"({', '.join(key.columns)}) → {key.target} ({', '.join(key.target_columns)}) "
            f"ON DELETE {key.on_delete}{'' if key.holds else ' (not valid)'}"
        )
    for rule in (*relation.checks, *relation.exclusions):
        held = "" if rule.holds else " (not valid)"
        parts[f"rule {rule.name}"] = f"{rule.expression.removesuffix(' NOT VALID')}{held}"
    for trigger in relation.triggers:
        parts[f"trigger {trigger.name}"] = trigger.definition
    for policy in relation.policies:
        parts[f"policy {policy}"] = ""
    if relation.row_security:
        parts["row-level security"] = "on"
    return parts


def _of_parts(
    name: str, before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[Difference]:
    for part, text in sorted(after.items()):
        if part not in before:
            yield "+", name, f"{part} {text}".strip()
        elif before[part] != text:
            yield "~", name, f"{part}: {before[part]} → {text}"
    for part in sorted(before):
        if part not in after:
            yield "-", name, part
