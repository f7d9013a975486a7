"""The query receipt of a cell: what it sent to PostgreSQL, in one line and, unfolded, in full."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from kit.notebook import plans, traffic
from kit.notebook.showing import Shown, framed
from kit.notebook.sql_text import formatted, highlighted
from kit.notebook.traffic import OpenTransaction, Recorder, Sent

_STATES = {
    "open": "is still open. Commit it or roll it back.",
    "failed": "has failed, and the server waits for ROLLBACK.",
    "busy": "is still busy: a statement runs, or waits for a lock.",
}
MOST_ENTRIES = 60
"""Entries that are shown; the same statement from the same line, several times on end, is one."""

LONGEST_VALUE = 60
"""Characters of a parameter's value that are shown."""


@dataclass(frozen=True)
class Receipt:
    """What one cell sent. How each number is counted is written in `kit.notebook.traffic`."""

    sent: tuple[Sent, ...]
    round_trips: int
    connections: int
    open_transactions: tuple[OpenTransaction, ...]

    @classmethod
    def of(cls, recorder: Recorder) -> Receipt:
        """The receipt of a recording that has ended just now."""
        return cls(
            tuple(recorder.statements()),
            recorder.round_trips,
            recorder.connections,
            tuple(traffic.open_transactions()),
        )

    def __bool__(self) -> bool:
        """Whether anything was sent, or a connection opened."""
        return bool(self.sent or self.connections)

    @property
    def statements(self) -> int:
        """Statements of the cell: without BEGIN, COMMIT and so on, and the pool's housekeeping."""
        return sum(sent.times for sent in self._own())

    @property
    def rows(self) -> int:
        """Rows that the cell's statements returned or changed."""
        return sum(sent.rows for sent in self._own())

    @property
    def milliseconds(self) -> float:
        """Time spent waiting for answers."""
        return 1000 * sum(sent.seconds for sent in self.sent)

    def _own(self) -> Iterator[Sent]:
        return (s for s in self.sent if not s.is_transaction_control and not s.housekeeping)

    def summary(self) -> str:
        """The quiet line."""
        parts = [f"{_count(self.connections, 'connection')} opened"] if self.connections else []
        if self.sent:
            parts += [
                _count(self.statements, "statement"),
                _count(self.rows, "row"),
                _count(self.round_trips, "round trip"),
                _time(self.milliseconds),
            ]
        else:
            parts.append("nothing sent")
        if failed := sum(sent.sqlstate is not None for sent in self.sent):
            parts.append(f"✗ {failed} failed")
        if still_open := len(self.open_transactions):
            parts.append(f"⚠ {_count(still_open, 'transaction')} still open")
        else:
            parts.append("no transaction open")
        return " · ".join(parts)

    def shown(self, *, unfolded: bool = False, with_plans: bool = False) -> Shown:
        """The receipt as HTML that unfolds, and as text.

        Args:
            unfolded: show all from the start, in text as well.
            with_plans: also ask the server, by EXPLAIN, how it would run each statement now.
        """
        entries = list(_entries(self.sent))
        hidden = sum(sent.times for entry in entries[MOST_ENTRIES:] for sent in entry)
        entries = entries[:MOST_ENTRIES]
        found = plans.explain([entry[0] for entry in entries]) if with_plans else {}
        if not entries:
            line = f'<p class="kit-note">{escape(self.summary())}</p>'
            return Shown(self.summary(), framed("receipt", line))
        items = "".join(_html_entry(entry, found.get(id(entry[0]))) for entry in entries)
        told = [*([f"… and {hidden:,} more"] if hidden else []), *self._notes()]
        notes = "".join(f'<p class="kit-note">{escape(note)}</p>' for note in told)
        html = (
            f"<details{' open' if unfolded else ''}><summary>{escape(self.summary())}</summary>"
            f"<ol>{items}</ol>{notes}</details>"
        )
        text = self.summary()
        if unfolded:
            lines = [_text_entry(n, e, found.get(id(e[0]))) for n, e in enumerate(entries, 1)]
            text = "\n".join([text, *lines, *told])
        return Shown(text, framed("receipt", html))

    def _notes(self) -> Iterator[str]:
        for transaction in self.open_transactions:
            by = f", opened by {transaction.application}," if transaction.application else ""
            yield f"⚠ A transaction on {transaction.dbname}{by} {_STATES[transaction.state]}"


Entry = Sequence[Sent]
"""The same statement one or more times in a row."""


def _entries(sent: Sequence[Sent]) -> Iterator[Entry]:
    for _, alike in groupby(sent, key=lambda s: (s.sql, s.line, s.housekeeping, s.sqlstate)):
        yield list(alike)


def _heading(entry: Entry) -> str:
    """Who sent it, how often, and what came of it."""
    first, times = entry[0], sum(sent.times for sent in entry)
    parts = [f"line {first.line}"] if first.line else []
    if first.housekeeping:
        parts = [f"by {first.housekeeping}, for itself"]
    if first.sql == ";":
        parts.append("is the connection still alive?")
    if times > 1:
        parts.append(f"{times} times")
    if not _is_brief(entry):
        parts.append(_count(sum(sent.rows for sent in entry), "row"))
    parts.append(_time(1000 * sum(sent.seconds for sent in entry)))
    if not all(sent.answered for sent in entry):
        parts.append("⚠ no answer yet")
    if first.sqlstate is not None:
        parts.append(f"✗ failed with SQLSTATE {first.sqlstate}")
    return " · ".join(parts)


def _is_brief(entry: Entry) -> bool:
    """Whether it is shown in one line: BEGIN, COMMIT, a ping."""
    first = entry[0]
    return first.is_transaction_control or (bool(first.housekeeping) and len(first.sql) < 40)


def _values(entry: Entry) -> str:
    """The parameters of the first, and how many more sets there were."""
    pairs = [f"${n} = {_short(v)}" for n, v in enumerate(entry[0].parameters, 1)]
    more = sum(sent.times for sent in entry) - 1
    if pairs and more:
        pairs.append(f"and {more} more")
    return ", ".join(pairs)


def _html_entry(entry: Entry, plan: str | None) -> str:
    values, sql = _values(entry), highlighted(formatted(entry[0].sql))
    note = f'<span class="kit-note">{escape(_heading(entry))}</span>'
    if _is_brief(entry):
        return f'<li><code class="kit-sql">{sql}</code> {note}</li>'
    parts = [note, f'<pre class="kit-sql">{sql}</pre>']
    if values:
        parts.append(f"<code>{escape(values)}</code>")
    if plan:
        parts.append('<div class="kit-note">How the server would run it now:</div>')
        parts.append(f'<pre class="kit-plan">{escape(plan)}</pre>')
    return f"<li>{''.join(parts)}</li>"


def _text_entry(number: int, entry: Entry, plan: str | None) -> str:
    if _is_brief(entry):
        return f"{number}. {entry[0].sql} · {_heading(entry)}"
    plan = f"How the server would run it now:\n{plan}" if plan else ""
    blocks = [formatted(entry[0].sql), _values(entry), plan]
    body = "\n".join("   " + line for block in blocks if block for line in block.splitlines())
    return f"{number}. {_heading(entry)}\n{body}"


def _short(value: object) -> str:
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _time(milliseconds: float) -> str:
    return f"{milliseconds:.2f} ms" if milliseconds < 1 else f"{milliseconds:,.1f} ms"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
