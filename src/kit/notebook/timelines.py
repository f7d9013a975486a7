"""``%timeline``: an interleaving of real sessions, drawn: who does what, who waits for whom.

Time runs down; each session has a lane. Nothing of it is made up: the events are those that
`pglab.sessions` saw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from kit.notebook.errors import NotebookError
from kit.notebook.pictures import picture
from kit.notebook.showing import Shown
from kit.notebook.svg import Drawing, shortened
from kit.notebook.traffic import kind_of
from pglab.sessions import Event, Interleaving

_LANE, _GAP, _LEFT, _TOP = 300, 26, 44, 44
_LINE, _SIZE = 15, 12
_LETTERS = 37
"""Of a monospaced line of a lane."""
_MOST_LINES = 4
_MOST_TOLD = 8
_ENDS = frozenset({"COMMIT", "ROLLBACK", "ABORT", "END"})


@dataclass(frozen=True)
class _Step:
    """An event, as it stands on the sheet."""

    event: Event
    lines: tuple[str, ...]
    outcome: tuple[str, ...]
    color: str
    top: float

    @property
    def height(self) -> float:
        return _LINE * (len(self.lines) + len(self.outcome)) + 12

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


def timeline(stage: Interleaving | Sequence[Event], title: str = "") -> Shown:
    """Draw what sessions did, step by step.

    Args:
        stage: an interleaving, open or closed, or events of one.
        title: stands above it; left out, the names of the sessions.

    Raises:
        NotebookError: nothing has happened yet.
    """
    events = list(stage.events if isinstance(stage, Interleaving) else stage)
    if not events or not all(isinstance(event, Event) for event in events):
        msg = (
            "There is nothing to draw: %timeline takes an Interleaving whose sessions have taken "
            "steps."
        )
        raise NotebookError(msg)
    names = list(dict.fromkeys(event.session for event in events))
    drawing = _draw(names, _steps(events))
    rows = [(e.step, e.session, " ".join(e.statement.split()), _in_words(e)) for e in events]
    told = [f"{session}: {statement} ({became})" for _, session, statement, became in rows]
    more = f"; and {len(told) - _MOST_TOLD} more steps" if len(told) > _MOST_TOLD else ""
    alt = f"Timeline of {_listed(names)}. {'; '.join(told[:_MOST_TOLD])}{more}."
    return picture(
        drawing, title=title or f"What {_listed(names)} did", alt=alt, rows=rows,
        columns=("step", "session", "statement", "what became of it"),
        summary="The timeline as a table", text=f"Timeline of {_listed(names)}",
    )  # fmt: skip


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _in_words(event: Event) -> str:
    if event.outcome == "waits":
        return f"waits for {_listed(event.waits_for)}"
    again = "after waiting: " if event.resumed else ""
    if event.outcome == "failed":
        return f"{again}failed with {event.sqlstate}: {event.message}"
    return f"{again}{_result(event)}"


def _is_undone(event: Event) -> bool:
    """A COMMIT that PostgreSQL answered with ROLLBACK: something in its transaction had failed."""
    return event.tag == "ROLLBACK" and kind_of(event.statement) in ("COMMIT", "END")


def _result(event: Event) -> str:
    """What came of a statement: the value, where there is only one, else how many rows."""
    if event.rows is not None and len(event.rows) <= 1:
        if not event.rows:
            return "no row"
        return ", ".join("NULL" if value is None else str(value) for value in event.rows[0])
    if _is_undone(event):
        return "rolled back"
    if event.affected is None or kind_of(event.statement) in ("BEGIN", "SET", *_ENDS):
        return "done"
    return f"{event.affected:,} row{'' if event.affected == 1 else 's'}"


def _steps(events: Sequence[Event]) -> list[_Step]:
    steps: list[_Step] = []
    top = float(_TOP)
    for event in events:
        lines = [""]
        if event.resumed:
            lines = ["… goes on"]
        else:
            lines = wrap(" ".join(event.statement.split()), _LETTERS) or [""]
        if len(lines) > _MOST_LINES:
            lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1][: _LETTERS - 1] + "…"]
        outcome, color = {
            "waits": (f"‖ waits for {_listed(event.waits_for)}", "wait"),
            "failed": (f"✗ {event.sqlstate} {event.message}", "bad"),
            "done": ("✗ rolled back", "bad")
            if _is_undone(event)
            else (f"✓ {_result(event)}", "good"),
        }[event.outcome]
        became = tuple(wrap(outcome, _LETTERS)[:_MOST_LINES])
        steps.append(_Step(event, tuple(lines), became, color, top))
        top += steps[-1].height + 10
    return steps


def _draw(names: Sequence[str], steps: Sequence[_Step]) -> Drawing:
    lanes = {name: _LEFT + number * (_LANE + _GAP) for number, name in enumerate(names)}
    bottom = steps[-1].top + steps[-1].height + 14
    drawing = Drawing(_LEFT + len(names) * (_LANE + _GAP), bottom)
    for name, x in lanes.items():
        drawing.text(x + 14, 26, name, strong=True, size=14)
        drawing.line(x + 4, _TOP - 8, x + 4, bottom - 8, dash="2 4")
        for begin, end in _transactions(name, steps):
            drawing.rect(x + 1, begin, 6, end - begin, fill="line", round_px=3)
        for begin, end in _waits(name, steps):
            drawing.line(x + 12, begin, x + 12, end, stroke="wait", width=3, dash="3 4")
    for number, step in enumerate(steps):
        drawing.text(12, step.top + 20, str(step.event.step), fill="quiet", size=11)
        _arrow(drawing, lanes, steps, number)
        _box(drawing, lanes[step.event.session] + 20, step)
    return drawing


def _box(drawing: Drawing, x: float, step: _Step) -> None:
    width = _LANE - 20
    dash = "4 3" if step.event.outcome == "waits" else "none"
    drawing.rect(
        x, step.top, width, step.height, fill="soft", stroke=step.color, round_px=4, dash=dash
    )
    for number, line in enumerate(step.lines):
        drawing.text(x + 8, step.top + 17 + _LINE * number, line, mono=True, size=_SIZE)
    below = step.top + 19 + _LINE * len(step.lines)
    for number, line in enumerate(step.outcome):
        words = shortened(line, width - 10)
        drawing.text(x + 8, below + _LINE * number, words, fill=step.color, size=_SIZE, strong=True)


def _arrow(
    drawing: Drawing, lanes: Mapping[str, float], steps: Sequence[_Step], number: int
) -> None:
    """From who waits to whom they wait for; from who let go to who goes on."""
    step = steps[number]
    own, y = lanes[step.event.session], step.middle
    if step.event.outcome == "waits":
        for other in (lanes[name] for name in step.event.waits_for if name in lanes):
            start, end = (own + 20, other + 9) if other < own else (own + _LANE, other - 1)
            drawing.line(start, y, end, y, stroke="wait", width=1.5, dash="4 3", arrow=True)
    elif step.event.resumed:
        cause = next(s for s in reversed(steps[:number]) if not s.event.resumed)
        other = lanes[cause.event.session]
        if other != own:
            start, end = (other + _LANE, own + 19) if other < own else (other, own + _LANE + 1)
            drawing.line(start, y, end, y, width=1.5, dash="4 3", arrow=True)


def _transactions(name: str, steps: Sequence[_Step]) -> list[tuple[float, float]]:
    """From each BEGIN of a session to its end, in pixels."""
    spans: list[tuple[float, float]] = []
    begun: float | None = None
    for step in steps:
        kind = kind_of(step.event.statement)
        if step.event.session != name or step.event.outcome == "waits":
            continue
        if kind in ("BEGIN", "START") and begun is None:
            begun = step.top
        elif kind in _ENDS and begun is not None and " TO " not in step.event.statement.upper():
            spans.append((begun, step.top + step.height))
            begun = None
    if begun is not None:
        spans.append((begun, steps[-1].top + steps[-1].height))
    return spans


def _waits(name: str, steps: Sequence[_Step]) -> list[tuple[float, float]]:
    """From each wait of a session to where it ends, in pixels."""
    spans: list[tuple[float, float]] = []
    since: float | None = None
    for step in steps:
        if step.event.session != name:
            continue
        if step.event.outcome == "waits":
            since = step.top + step.height
        elif since is not None:
            spans.append((since, step.top))
            since = None
    if since is not None:
        spans.append((since, steps[-1].top + steps[-1].height))
    return spans
