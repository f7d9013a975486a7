"""``%erd``: the tables of a database and how they refer to each other, read from its catalog.

Source of the marks at the ends of lines: crow's foot notation (G. Everest, 1976).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kit.notebook import places
from kit.notebook.diagrams import MARGIN, loop, route
from kit.notebook.errors import NotebookError
from kit.notebook.layout import Places, Point, place
from kit.notebook.pictures import picture
from kit.notebook.showing import Shown
from kit.notebook.svg import Drawing, width_of
from pglab.relations import Column, ForeignKey, Relation, read_relations

_ROW, _HEAD, _SIZE = 17, 24, 12
_MOST_NAMED = 12
_LEGEND = "PK primary key · FK foreign key · U unique · ? may be NULL"
_SHORT = {
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time without time zone": "time",
    "character varying": "varchar",
    "double precision": "float8",
}


def erd(
    *tables: str, around: str | None = None, keys: bool = False, on: Any = None, title: str = ""
) -> Shown:
    """The ER diagram of a database.

    Args:
        tables: draw these; all of them if there are none.
        around: draw this table, those that it refers to, and those that refer to it.
        keys: only the columns that are keys.
        on: the database, as `kit.notebook.places.url_of` takes it; left out, the one in use.
        title: stands above it.

    Raises:
        NotebookError: there is no such table, or there are none.
    """
    with places.watcher(on) as connection:
        found = {r.title: r for r in read_relations(connection) if r.ordinary and not r.partition}
    drawn = [found[name] for name in _chosen(found, tables, around)]
    lines = [
        (relation, key) for relation in drawn for key in relation.foreign_keys
        if any(other.title == key.target for other in drawn)
    ]  # fmt: skip
    drawing = _draw(drawn, lines, keys=keys)
    rows = [
        (relation.title, column.name, _type(column), _keys_in_words(relation, column))
        for relation in drawn
        for column in _columns(relation, keys=keys)
    ]
    return picture(
        drawing, title=title or f"Tables and their keys ({_LEGEND})", alt=_alt(drawn, lines),
        rows=rows, columns=("table", "column", "type", "key"), summary="The diagram as a table",
    )  # fmt: skip


def short_type(name: str) -> str:
    """A type as people write it: ``varchar(80)``."""
    for long, short in _SHORT.items():
        name = name.replace(long, short)
    return name.removeprefix("public.")


def _chosen(found: Mapping[str, Relation], tables: Sequence[str], around: str | None) -> list[str]:
    wanted = [*tables, *([around] if around else [])]
    for name in wanted:
        if name not in found:
            there = ", ".join(found) or "no tables at all"
            raise NotebookError(f"There is no table {name} here; there are: {there}.")
    if around:
        wanted += [key.target for key in found[around].foreign_keys if key.target in found]
        wanted += [
            name for name, relation in found.items()
            if any(key.target == around for key in relation.foreign_keys)
        ]  # fmt: skip
    if not wanted and not found:
        raise NotebookError("There are no tables in this database.")
    return [name for name in found if not wanted or name in wanted]


def _columns(relation: Relation, *, keys: bool) -> list[Column]:
    return [c for c in relation.columns if not keys or _marks(relation, c) not in ("", "U")]


def _marks(relation: Relation, column: Column) -> str:
    marks = ["PK"] * (column.name in relation.primary_key)
    marks += ["FK"] * any(column.name in key.columns for key in relation.foreign_keys)
    alone = any(
        i.unique and not i.primary and i.columns == (column.name,) and not i.where
        for i in relation.indexes
    )
    return " ".join(marks + ["U"] * alone)


def _type(column: Column) -> str:
    return short_type(column.type) + ("?" if column.nullable else "")


def _keys_in_words(relation: Relation, column: Column) -> str:
    targets = [key.target for key in relation.foreign_keys if column.name in key.columns]
    refers = f" → {' and '.join(targets)}" if targets else ""
    return f"{_marks(relation, column)}{refers}"


def _alt(drawn: Sequence[Relation], lines: Sequence[tuple[Relation, ForeignKey]]) -> str:
    names = ", ".join(relation.title for relation in drawn[:_MOST_NAMED])
    more = f" and {len(drawn) - _MOST_NAMED} more" if len(drawn) > _MOST_NAMED else ""
    told = [f"{r.title}.{', '.join(key.columns)} → {key.target}" for r, key in lines]
    rest = f" and {len(told) - _MOST_NAMED} more" if len(told) > _MOST_NAMED else ""
    refer = "; ".join(told[:_MOST_NAMED]) + rest if told else "none"
    one = "1 table" if len(drawn) == 1 else f"{len(drawn)} tables"
    return f"ER diagram of {one}: {names}{more}. Foreign keys: {refer}."


class _Box:
    """A table as it is drawn."""

    def __init__(self, relation: Relation, *, keys: bool) -> None:
        self.relation = relation
        columns = _columns(relation, keys=keys)
        self.lines = [(_marks(relation, c), c.name, _type(c)) for c in columns]
        self._rows = {c.name: number for number, c in enumerate(columns)}
        marks, names, types = (
            max((width_of(line[n], mono=n > 0, size=_SIZE) for line in self.lines), default=0)
            for n in range(3)
        )
        self.at = (8.0, 14 + marks, 26 + marks + names)
        head = width_of(relation.title) * 1.1 + 16
        self.size = (max(head, 34 + marks + names + types), _HEAD + _ROW * len(columns) + 6)

    def row(self, column: str) -> float:
        """The middle of a column's line below the upper edge; of the head if it is not shown."""
        if column not in self._rows:
            return _HEAD / 2
        return _HEAD + _ROW * self._rows[column] + _ROW / 2 + 2


def _draw(
    drawn: Sequence[Relation], lines: Sequence[tuple[Relation, ForeignKey]], *, keys: bool
) -> Drawing:
    boxes = {relation.title: _Box(relation, keys=keys) for relation in drawn}
    linked = {name for r, key in lines if r.title != key.target for name in (r.title, key.target)}
    single = [name for name in boxes if name not in linked and len(boxes) > 1 and linked]
    spots = place(
        {name: box.size for name, box in boxes.items() if name not in single},
        [(key.target, relation.title) for relation, key in lines if relation.title not in single],
        between=74,
    )
    corners, (width, height) = _below(boxes, single, spots)
    drawing = Drawing(width + 2 * MARGIN + 16, height + 2 * MARGIN)
    routes = iter(spots.routes)
    for relation, key in lines:
        through = [] if relation.title in single else next(routes)
        _line(drawing, boxes, corners, (relation, key), through)
    for name, box in boxes.items():
        _table(drawing, corners[name], box)
    return drawing


def _below(
    boxes: Mapping[str, _Box], single: Sequence[str], spots: Places
) -> tuple[dict[str, Point], Point]:
    """Corners of all boxes: those that nothing refers to stand in rows below the others."""
    corners = {name: (x + MARGIN, y + MARGIN) for name, (x, y) in spots.boxes.items()}
    right, bottom = spots.width, spots.height
    x, y, tallest = 0.0, bottom + 24, 0.0
    most = max(right, 700)
    for name in single:
        wide, tall = boxes[name].size
        if x and x + wide > most:
            x, y, tallest = 0.0, y + tallest + 20, 0.0
        corners[name] = (x + MARGIN, y + MARGIN)
        x, tallest = x + wide + 20, max(tallest, tall)
        right, bottom = max(right, x - 20), y + tallest
    return corners, (right, bottom)


def _table(drawing: Drawing, corner: Point, box: _Box) -> None:
    (x, y), (width, height) = corner, box.size
    drawing.rect(x, y, width, height, fill="paper", stroke="line", round_px=4)
    drawing.rect(x + 0.5, y + 0.5, width - 1, _HEAD, fill="soft", round_px=4)
    drawing.line(x, y + _HEAD, x + width, y + _HEAD)
    drawing.text(x + 8, y + 17, box.relation.title, strong=True)
    for number, (marks, name, kind) in enumerate(box.lines):
        base = y + _HEAD + _ROW * number + 15
        drawing.text(x + box.at[0], base, marks, fill="s0", size=10, strong=True)
        drawing.text(x + box.at[1], base, name, mono=True, size=_SIZE)
        drawing.text(x + box.at[2], base, kind, fill="quiet", mono=True, size=_SIZE)


def _line(
    drawing: Drawing,
    boxes: Mapping[str, _Box],
    corners: Mapping[str, Point],
    link: tuple[Relation, ForeignKey],
    through: Sequence[Point],
) -> None:
    """One foreign key, from the table that it points to, to the column that points."""
    relation, key = link
    parent, child = boxes[key.target], boxes[relation.title]
    (px, py), (cx, cy) = corners[key.target], corners[relation.title]
    child_y = cy + child.row(key.columns[0])
    if parent is child:
        top = py + _HEAD / 2
        drawing.curve(loop((px + parent.size[0], top), child_y - top))
        _many(drawing, (px + parent.size[0], child_y), 1, link)
        _one(drawing, (px + parent.size[0], top), 1, link)
        return
    parent_y = py + parent.row(key.target_columns[0] if key.target_columns else "")
    forth = px <= cx
    start = (px + parent.size[0] if forth else px, parent_y)
    end = (cx if forth else cx + child.size[0], child_y)
    passed = [(x + MARGIN, y + MARGIN) for x, y in through]
    drawing.curve(route(start, end, passed))
    _one(drawing, start, 1 if forth else -1, link)
    _many(drawing, end, -1 if forth else 1, link)


def _one(drawing: Drawing, at: Point, side: int, link: tuple[Relation, ForeignKey]) -> None:
    """At the table that is pointed to: exactly one, or none or one where the column may be NULL."""
    relation, key = link
    (x, y) = at
    may_be_none = any(c.nullable for c in relation.columns if c.name in key.columns)
    drawing.line(x + 7 * side, y - 5, x + 7 * side, y + 5, width=1.5)
    if may_be_none:
        _ring(drawing, (x + 15 * side, y))
    else:
        drawing.line(x + 12 * side, y - 5, x + 12 * side, y + 5, width=1.5)


def _many(drawing: Drawing, at: Point, side: int, link: tuple[Relation, ForeignKey]) -> None:
    """At the table that points: none or many, or none or one where its column is unique."""
    relation, key = link
    (x, y) = at
    unique = any(i.unique and not i.where and set(i.columns) <= set(key.columns)
                 for i in relation.indexes)  # fmt: skip
    if unique:
        drawing.line(x + 7 * side, y - 5, x + 7 * side, y + 5, width=1.5)
    else:
        drawing.path([(x, y - 5), (x + 10 * side, y), (x, y + 5)])
    _ring(drawing, (x + 14 * side, y))


def _ring(drawing: Drawing, center: Point) -> None:
    x, y = center
    drawing.rect(x - 3.5, y - 3.5, 7, 7, fill="paper", stroke="line", round_px=3.5)
