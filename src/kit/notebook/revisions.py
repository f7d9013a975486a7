"""``%history``: the revisions of a schema as a graph, and where a database is on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from kit.notebook import places
from kit.notebook.diagrams import MARGIN, route
from kit.notebook.errors import NotebookError
from kit.notebook.layout import place
from kit.notebook.pictures import picture
from kit.notebook.showing import Shown
from kit.notebook.svg import Drawing, shortened, width_of
from tracker import migrations

_HEIGHT, _WIDEST = 30, 420
_MOST_TOLD = 20


@dataclass(frozen=True)
class _Revision:
    id: str
    message: str
    after: tuple[str, ...]
    """Those that it comes after; two where it merges branches."""
    head: bool


def history(folder: str | Path | None = None, *, on: Any = None, title: str = "") -> Shown:
    """Draw the revisions in the order in which they are applied, and mark those that are.

    Args:
        folder: of the migrations, with ``versions/`` in it; left out, the tracker's.
        on: the database, as `kit.notebook.places.url_of` takes it; left out, the one in use.
        title: stands above it.

    Raises:
        NotebookError: there are no revisions there, or they cannot be read.
    """
    revisions = _read(Path(folder) if folder else migrations.migrations_directory())
    here = _versions(on)
    applied = _with_those_before(here, revisions)
    known = {revision.id for revision in revisions}
    stray = [version for version in here if version not in known]
    states = {r.id: _state(r, here, applied) for r in revisions}
    drawing = _draw(revisions, states, applied)
    rows = [
        (r.id, r.message, " and ".join(r.after) or None, states[r.id] or None) for r in revisions
    ]
    where = f"The database is at {' and '.join(here)}" if here else "No revision is applied"
    where += " (which is not in this folder)." if stray else "."
    told = [
        f"{r.id} {r.message}, after {' and '.join(r.after) or 'nothing'}"
        for r in revisions[-_MOST_TOLD:]
    ]
    alt = f"Graph of {len(revisions)} revisions. {where} {'; '.join(told)}."
    return picture(
        drawing, title=title or where, alt=alt, rows=rows,
        columns=("revision", "what it does", "after", "state"), summary="The history as a table",
    )  # fmt: skip


def _read(folder: Path) -> list[_Revision]:
    """The revisions of a folder, the oldest first."""
    try:
        scripts = ScriptDirectory(str(folder))
        heads = set(scripts.get_heads())
        found = [
            _Revision(s.revision, (s.doc or "").strip(), _before(s.down_revision),
                      s.revision in heads)
            for s in scripts.walk_revisions()
        ][::-1]  # fmt: skip
    except (CommandError, OSError, SyntaxError, ImportError) as error:
        raise NotebookError(f"The revisions cannot be read: {error}") from error
    if not found:
        raise NotebookError("There are no revisions in this folder yet.")
    return found


def _before(down: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if down is None else (down,) if isinstance(down, str) else tuple(down)


def _versions(on: Any) -> list[str]:
    """What the database says of itself; several where branches are not merged."""
    with places.watcher(on) as connection:
        try:
            rows = connection.execute("SELECT version_num FROM alembic_version ORDER BY 1")
            return [str(version) for (version,) in rows]
        except psycopg.errors.UndefinedTable:
            return []


def _with_those_before(here: Sequence[str], revisions: Sequence[_Revision]) -> set[str]:
    """Every revision that has been applied for the database to be where it is."""
    by_id = {revision.id: revision for revision in revisions}
    applied: set[str] = set()
    waiting = [version for version in here if version in by_id]
    while waiting:
        version = waiting.pop()
        if version not in applied:
            applied.add(version)
            waiting += by_id[version].after
    return applied


def _state(revision: _Revision, here: Sequence[str], applied: set[str]) -> str:
    parts = ["the database is here"] if revision.id in here else []
    if revision.id not in applied:
        parts.append("not applied")
    if revision.head:
        parts.append("head")
    return ", ".join(parts)


def _draw(revisions: Sequence[_Revision], states: dict[str, str], applied: set[str]) -> Drawing:
    texts = {r.id: shortened(r.message, _WIDEST) for r in revisions}
    sizes = {
        r.id: (width_of(r.id, mono=True) + width_of(texts[r.id]) + 46, _HEIGHT) for r in revisions
    }
    arrows = [(before, r.id) for r in revisions for before in r.after]
    spots = place(sizes, arrows, down=True, between=22, beside=150)
    room = max((width_of(state) for state in states.values()), default=0) + 16
    drawing = Drawing(spots.width + room + 2 * MARGIN, spots.height + 2 * MARGIN)
    for (source, target), through in zip(arrows, spots.routes, strict=True):
        (x1, y1), (x2, y2) = spots.boxes[source], spots.boxes[target]
        start = (x1 + sizes[source][0] / 2 + MARGIN, y1 + _HEIGHT + MARGIN)
        end = (x2 + sizes[target][0] / 2 + MARGIN, y2 + MARGIN)
        passed = [(x + MARGIN, y + MARGIN) for x, y in through]
        drawing.curve(route(start, end, passed, down=True), arrow=True)
    for revision in revisions:
        x, y = (at + MARGIN for at in spots.boxes[revision.id])
        width, done = sizes[revision.id][0], revision.id in applied
        drawing.rect(
            x, y, width, _HEIGHT, fill="soft", stroke="good" if done else "line", round_px=4,
            dash="none" if done else "4 3",
        )  # fmt: skip
        drawing.text(x + 9, y + 20, "✓" if done else "·", fill="good" if done else "quiet")
        drawing.text(x + 26, y + 20, revision.id, mono=True, strong=True)
        drawing.text(x + 36 + width_of(revision.id, mono=True), y + 20, texts[revision.id])
        if state := states[revision.id]:
            here = state.startswith("the")
            drawing.text(
                x + width + 8, y + 20, state, fill="good" if here else "quiet", strong=here,
                over=True,
            )  # fmt: skip
    return drawing
