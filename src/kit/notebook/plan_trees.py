"""``%%plan``: how PostgreSQL runs a statement, as a tree with rows, time and pages.

Source: PostgreSQL manual, "Using EXPLAIN".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement
from sqlalchemy.dialects import postgresql

from kit.notebook import places
from kit.notebook.diagrams import LINE, MARGIN, route
from kit.notebook.errors import SqlError
from kit.notebook.layout import place
from kit.notebook.pictures import picture
from kit.notebook.scales import number
from kit.notebook.showing import Shown, framed
from kit.notebook.sql_text import formatted, highlighted
from kit.notebook.svg import Drawing, shortened, width_of
from pglab.plans import CannotExplain, Node, Plan, explain

_WIDEST = 300
_LONGEST_MS = 30_000
_FAR_OFF = 10
"""An estimate that is this many times too high or too low is marked."""


@dataclass(frozen=True)
class ShownPlan(Shown):
    """A plan as it is shown, and the plan itself."""

    plan: Plan | None = None


def plan(
    statement: str | ClauseElement,
    parameters: Sequence[Any] = (),
    *,
    estimate: bool = False,
    rows: bool = False,
    on: Any = None,
) -> ShownPlan:
    """Draw how PostgreSQL runs a statement. It is run, and rolled back.

    Args:
        statement: SQL, with ``$1``, ``$2`` … for parameters; or a SQLAlchemy statement.
        parameters: their values.
        estimate: do not run it: only what the planner expects.
        rows: leave out times and pages, which are others on every run.
        on: the database, as `kit.notebook.places.url_of` takes it; left out, the one in use.

    Raises:
        SqlError: PostgreSQL refused the statement, or there is no plan of it.
    """
    sql = sql_of(statement).strip().rstrip(";")
    values = [None if value is None else str(value) for value in parameters]
    with places.watcher(on) as connection:
        connection.execute("BEGIN")
        connection.execute(f"SET LOCAL statement_timeout = {_LONGEST_MS}".encode())
        try:
            found = explain(connection, sql, values, analyze=not estimate, timing=not rows)
        except CannotExplain as error:
            raise SqlError(str(error), sqlstate=error.sqlstate) from error
        finally:
            connection.execute("ROLLBACK")
    tree = _Tree(found, rows_only=rows)
    shown = picture(
        tree.drawing(), title=tree.title(), alt=tree.alt(), rows=tree.table(),
        columns=("step", "rows estimated", "rows counted", "own ms", "pages", "condition"),
        summary="The plan as a table",
    )  # fmt: skip
    return ShownPlan(shown.text, shown.html, shown.body, found)


def sql_of(statement: str | ClauseElement) -> str:
    """A statement as PostgreSQL would get it, with its values written in."""
    if isinstance(statement, str):
        return statement
    dialect = postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def show_sql(statement: str | ClauseElement) -> Shown:
    """Show SQL laid out and highlighted: a text, or a SQLAlchemy statement."""
    if isinstance(statement, str):
        text = formatted(statement)
    else:
        dialect = postgresql.psycopg.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
        # Without this, `in_` would show SQLAlchemy's note to itself in place of the values.
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        text = formatted(str(compiled))
    return Shown(text, framed("sql", f'<pre class="kit-sql">{highlighted(text)}</pre>'))


class _Tree:
    """A plan, and how it is told and drawn."""

    def __init__(self, found: Plan, *, rows_only: bool) -> None:
        self._plan = found
        self._measured = found.analyzed and not rows_only
        self._names = {f"{number}": node for number, node in enumerate(found.root)}
        by_node = {id(node): name for name, node in self._names.items()}
        self._arrows = [
            (name, by_node[id(child)])
            for name, node in self._names.items()
            for child in node.children
        ]
        self._total = found.root.milliseconds

    def title(self) -> str:
        if not self._measured:
            counted = "rows as estimated and as counted"
            return f"Plan: {counted if self._plan.analyzed else 'rows as estimated'}"
        return f"Plan: {self._total:.2f} ms, {_count(self._plan.buffers, 'page')} of 8 kB"

    def alt(self) -> str:
        told = []
        for node in self._plan.root:
            counted = f", {number(node.rows)} counted" if self._plan.analyzed else ""
            rows = f"{_count(self._estimated(node), 'row')} estimated{counted}"
            told.append(f"{_name(node)} ({rows})")
        steps = "1 step" if len(told) == 1 else f"{len(told)} steps"
        return f"Plan of {steps}, from the last to the first: {'; '.join(told)}."

    def _estimated(self, node: Node) -> float:
        """Rows in all, as they are counted: of a node that ran several times, all of them."""
        return node.planned_rows * (max(node.loops, 1) if self._plan.analyzed else 1)

    def table(self) -> list[Sequence[object]]:
        rows: list[Sequence[object]] = []
        for node, depth in _with_depth(self._plan.root):
            rows.append((
                "· " * depth + _name(node),
                number(self._estimated(node)),
                number(node.rows) if self._plan.analyzed else None,
                f"{_own(node):.2f} ms" if self._measured else None,
                number(node.buffers) if self._measured else None,
                _condition(node) or None,
            ))  # fmt: skip
        return rows

    def drawing(self) -> Drawing:
        lines = {name: self._lines(node) for name, node in self._names.items()}
        sizes = {
            name: (
                min(_WIDEST, max(width_of(text) * (1.1 if strong else 1)
                                 for text, _, strong in those)) + 20,
                LINE * len(those) + 12 + (8 if self._measured else 0),
            )
            for name, those in lines.items()
        }  # fmt: skip
        spots = place(sizes, self._arrows, down=True, between=34)
        sheet = Drawing(spots.width + 2 * MARGIN, spots.height + 2 * MARGIN)
        for source, target in self._arrows:
            (x1, y1), (x2, y2) = spots.boxes[source], spots.boxes[target]
            start = (x2 + sizes[target][0] / 2 + MARGIN, y2 + MARGIN)
            end = (x1 + sizes[source][0] / 2 + MARGIN, y1 + sizes[source][1] + MARGIN)
            sheet.curve(route(start, end, [], down=True), arrow=True)
        for name, node in self._names.items():
            x, y = spots.boxes[name]
            self._box(sheet, (x + MARGIN, y + MARGIN), sizes[name], lines[name], node)
        return sheet

    def _lines(self, node: Node) -> list[tuple[str, str, bool]]:
        """Texts of a box, their colors, and whether they are strong."""
        lines = [(node.kind, "ink", True)]
        if where := _where(node):
            lines.append((where, "ink", False))
        estimated = f"{_count(self._estimated(node), 'row')} estimated"
        if self._plan.analyzed:
            off = _off(node)
            lines.append((f"{estimated}, {number(node.rows)} counted{off}", "bad" if off else "ink",
                          bool(off)))  # fmt: skip
        else:
            lines.append((estimated, "ink", False))
        if node.rows_removed:
            lines.append(
                (f"{_count(node.rows_removed, 'row')} read and thrown away", "wait", False)
            )
        if condition := _condition(node):
            lines.append((shortened(condition, _WIDEST), "quiet", False))
        if self._measured:
            again = f", {node.loops:,} times" if node.loops > 1 else ""
            lines.append(
                (f"{_own(node):.2f} ms{again} · {_count(node.buffers, 'page')}", "quiet", False)
            )
        return lines

    def _box(
        self,
        sheet: Drawing,
        corner: tuple[float, float],
        size: tuple[float, float],
        lines: Sequence[tuple[str, str, bool]],
        node: Node,
    ) -> None:
        (x, y), (width, height) = corner, size
        sheet.rect(x, y, width, height, fill="soft", stroke="line", round_px=4)
        for index, (text, color, strong) in enumerate(lines):
            sheet.text(
                x + 10, y + 19 + LINE * index, shortened(text, _WIDEST), fill=color, strong=strong
            )
        if self._measured and self._total:
            share = min(1.0, _own(node) / self._total)
            sheet.rect(x + 10, y + height - 9, width - 20, 4, fill="paper")
            sheet.rect(x + 10, y + height - 9, (width - 20) * share, 4, fill="s1")


def _name(node: Node) -> str:
    where = _where(node)
    return f"{node.kind} {where}" if where else node.kind


def _where(node: Node) -> str:
    parts = [f"using {node.index}"] * bool(node.index) + [f"on {node.table}"] * bool(node.table)
    return " ".join(parts)


def _condition(node: Node) -> str:
    details: Mapping[str, Any] = node.details
    for name in ("Index Cond", "Hash Cond", "Merge Cond", "Join Filter", "Filter", "Recheck Cond"):
        if said := details.get(name):
            return f"{name}: {said}"
    if keys := details.get("Sort Key") or details.get("Group Key"):
        return f"by {', '.join(keys)}"
    return ""


def _own(node: Node) -> float:
    """Milliseconds in the node itself, without those below it."""
    return max(0.0, node.milliseconds - sum(child.milliseconds for child in node.children))


def _count(many: float, noun: str) -> str:
    return f"{number(many)} {noun}{'' if many == 1 else 's'}"


def _off(node: Node) -> str:
    """By how much the estimate is wrong, where that is much."""
    if not node.loops:
        return ""
    estimated, counted = node.planned_rows * node.loops, node.rows
    high, low = max(estimated, counted, 1), max(min(estimated, counted), 1)
    return f" (× {number(round(high / low))})" if high / low >= _FAR_OFF else ""


def _with_depth(node: Node, depth: int = 0) -> list[tuple[Node, int]]:
    return [(node, depth), *(pair for c in node.children for pair in _with_depth(c, depth + 1))]
