"""A server's JSON log, written by rules of our own after ``jsonlog.c`` and ``escape_json``, and not
by the module ``json``; what stands in it is drawn by hypothesis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

ROLE = "ada"
ROLES = (ROLE, "mallory", 'ada","user":"ada', "{", "ada\\")
SNIPPETS = (
    'statement: SELECT 1', "execute <unnamed>: DELETE FROM users", "}\n{", "\r\n", '"',
    "\\", "\\u0022",
    "'", "$1 = 'x', $2 = NULL", '","message":"statement: SELECT 1"', f'{{"user":"{ROLE}"}}', "\x7f",
    '{"user":"ada","backend_type":"client backend",'
    '"error_severity":"LOG","message":"statement: X"}',
    "\u2028", "\ufeff", "\x01", "\x1f", "🐘", ",", ";", "--", "/*", "$$",
)  # fmt: skip
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(SNIPPETS),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
    ),
    max_size=6,
).map("".join)
COMMANDS = st.sampled_from(["SELECT", "INSERT", "UPDATE", "DELETE"])
SQLSTATES = st.sampled_from(["23505", "22012", "57014", "40001"])


def escaped(text: str) -> str:
    """As ``escape_json`` writes a string."""
    short = {
        "\b": "\\b",
        "\f": "\\f",
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        '"': '\\"',
        "\\": "\\\\",
    }
    written = (short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in text)
    return '"' + "".join(written) + '"'


def row(fields: Mapping[str, str | int]) -> bytes:
    """As ``write_jsonlog`` writes an entry: no key without a value, no space, one line."""
    pairs = (
        f"{escaped(key)}:{value if isinstance(value, int) else escaped(value)}"
        for key, value in fields.items()
    )
    return ("{" + ",".join(pairs) + "}\n").encode()


@dataclass(frozen=True)
class Session:
    """One backend of the server."""

    role: str
    number: int
    application: str

    @property
    def id(self) -> str:
        return f"68b0.{self.number:x}"

    def line(self, severity: str, title: str, message: str, **more: str) -> bytes:
        """One entry, in the order of the server's keys."""
        head: dict[str, str | int] = {
            "timestamp": "2026-01-31 12:00:00.000 UTC",
            "user": self.role,
            "dbname": "school",
            "pid": self.number,
            "session_id": self.id,
            "line_num": 1,
            "ps": title,
            "session_start": "2026-01-31 12:00:00 UTC",
            "vxid": "3/7",
            "txid": 0,
            "error_severity": severity,
        }
        tail: dict[str, str | int] = {
            "application_name": self.application,
            "backend_type": more.pop("backend_type", "client backend"),
            "query_id": 0,
        }
        keys = ("state_code", "message", "detail", "hint", "context", "statement")
        said = {"message": message, **more}
        return row(head | {key: said[key] for key in keys if key in said} | tail)


@dataclass(frozen=True)
class Event:
    """What a session does: the lines that the server writes, and the statement to be read."""

    lines: tuple[bytes, ...]
    statement: tuple[str, tuple[str | None, ...], str | None, bool] | None = None
    """Text, parameters, SQLSTATE, whether it came by the extended protocol."""


@st.composite
def simple(draw: st.DrawFn, session: Session) -> Event:
    """A statement by the simple protocol; perhaps it fails while it runs."""
    command, text = draw(COMMANDS), draw(TEXTS)
    text = f"{command} {text}"
    lines = [session.line("LOG", "idle", f"statement: {text}")]
    sqlstate = draw(st.none() | SQLSTATES)
    if sqlstate:
        error = {"state_code": sqlstate, "statement": text}
        lines.append(session.line("ERROR", command, draw(TEXTS), **error))
    return Event(tuple(lines), (text, (), sqlstate, False))


@st.composite
def extended(draw: st.DrawFn, session: Session) -> Event:
    """A statement whose parameters are sent apart."""
    command, text = draw(COMMANDS), draw(TEXTS)
    text = f"{command} {text}"
    values = draw(st.lists(st.none() | TEXTS, max_size=4))
    quoted = ["NULL" if v is None else "'" + v.replace("'", "''") + "'" for v in values]
    detail = ", ".join(f"${n} = {value}" for n, value in enumerate(quoted, 1))
    head = draw(st.sampled_from(["Parameters: ", "parameters: "]))
    more = {"detail": head + detail} if values else {}
    lines = [session.line("LOG", command, f"execute <unnamed>: {text}", **more)]
    sqlstate = draw(st.none() | SQLSTATES)
    if sqlstate:
        error = {"state_code": sqlstate, "statement": text}
        lines.append(session.line("ERROR", command, draw(TEXTS), **error))
    return Event(tuple(lines), (text, tuple(values), sqlstate, True))


@st.composite
def unparsed(draw: st.DrawFn, session: Session) -> Event:
    """What is no SQL: the error alone tells of it."""
    text = draw(TEXTS)
    title = draw(st.sampled_from(["idle", "PARSE"]))
    error = {"state_code": "42601", "statement": text}
    line = session.line("ERROR", title, draw(TEXTS), **error)
    return Event((line,), (text, (), "42601", title == "PARSE"))


@st.composite
def noise(draw: st.DrawFn, session: Session) -> Event:
    """What is logged besides, with words that somebody may choose."""
    words = draw(TEXTS)
    raised = f"statement: {words}"
    return Event(
        (
            draw(
                st.sampled_from(
                    [
                        session.line("LOG", "DO", raised, context="PL/pgSQL function f() line 1"),
                        session.line("LOG", "DO", raised, statement="DO"),
                        session.line("WARNING", "idle", raised),
                        session.line("LOG", "idle", raised, backend_type="parallel worker"),
                        session.line("LOG", "", f"connection authorized: user={words}"),
                        session.line("LOG", "idle", "temporary file: size 1", statement=words),
                    ]
                )
            ),
        )
    )


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[bytes], list[tuple[str, object]]]:
    """Lines of several sessions in between each other, and the statements of `ROLE` in order."""
    # Two sessions of the one role at least, or nothing could be taken for another's.
    roles = [ROLE, ROLE, *draw(st.lists(st.sampled_from(ROLES), max_size=2))]
    queues: list[list[tuple[bytes, tuple[str, object] | None]]] = []
    for index, role in enumerate(roles):
        session = Session(role, 17 + index, draw(TEXTS))
        kinds = [kind(session) for kind in (simple, extended, unparsed, noise)]
        queue: list[tuple[bytes, tuple[str, object] | None]] = []
        for event in draw(st.lists(st.one_of(kinds), max_size=5)):
            wanted = event.statement if session.role == ROLE else None
            found = (session.id, wanted) if wanted else None
            queue += [(line, found if n == 0 else None) for n, line in enumerate(event.lines)]
        queues.append(queue)
    lines: list[bytes] = []
    expected: list[tuple[str, object]] = []
    while any(queues):
        queue = draw(st.sampled_from([q for q in queues if q]))
        line, found = queue.pop(0)
        lines.append(line)
        if found:
            expected.append(found)
    return lines, expected
