"""Mutants of SQL: one operator, clause, rule or value of one statement is otherwise.

sqlglot reads a statement into a tree and writes it back. Only the statement that is changed goes
that way; the others of a file stay as they are. What sqlglot cannot read (``DO`` blocks, say) can
only be left out as a whole.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp

from pglab.scripts import Step, steps_of

__all__ = ["is_rule", "is_sql", "laid_out", "mutated", "script_mutants", "written_back"]

_DIALECT = "postgres"
_COLON_NAME = re.compile(r"(?<![:\w]):[A-Za-z_]")
_STATEMENTS = (exp.Query, exp.DML, exp.DDL, exp.Alter, exp.Merge)
_RULES = (exp.Binary, exp.Between, exp.In, exp.Not)

_SWAPS: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.NEQ, exp.NEQ: exp.EQ, exp.LT: exp.LTE, exp.LTE: exp.LT, exp.GT: exp.GTE,
    exp.GTE: exp.GT, exp.And: exp.Or, exp.Or: exp.And, exp.Add: exp.Sub, exp.Sub: exp.Add,
    exp.Mul: exp.Div, exp.Div: exp.Mul, exp.Min: exp.Max, exp.Max: exp.Min, exp.Sum: exp.Max,
    exp.Avg: exp.Max, exp.ILike: exp.Like, exp.Least: exp.Greatest, exp.Greatest: exp.Least,
    exp.Rank: exp.DenseRank, exp.DenseRank: exp.Rank, exp.Lag: exp.Lead, exp.Lead: exp.Lag,
}  # fmt: skip
_CLAUSES = (
    "where", "having", "order", "limit", "offset", "distinct", "conflict", "unique", "partition_by",
    "spec",
)  # fmt: skip
"""Parts of a node that it can do without."""
_LISTS = {"expressions": 2, "actions": 2, "joins": 1, "locks": 1, "constraints": 1, "options": 1,
          "cluster": 1}  # fmt: skip
"""Parts of a node that can lose one of their members, if there are so many."""


def script_mutants(script: str) -> Iterator[tuple[str, str, str, str]]:
    """The mutants of a file of statements.

    Yields:
        The place (``statement 2``), the statement before and after (``""`` where it is left out),
        and the whole file with it.
    """
    steps = steps_of(script)
    offset = 0
    for number, step in enumerate(steps, 1):
        start = script.index(step.text, offset)
        offset = start + len(step.text)
        place = f"statement {number}"
        for after in [*mutated(step.text), *([""] if len(steps) > 1 else [])]:
            yield place, step.text, after, script[:start] + after + script[offset:]


def written_back(script: str) -> str:
    """The file as sqlglot writes it: right answers must stay right on the way."""
    return "\n".join(f"{_same(step)};" for step in steps_of(script)) + "\n"


def is_sql(text: str) -> bool:
    """Whether a string of a program is SQL that can be mutated: a statement, or a rule."""
    return isinstance(_read(text), _STATEMENTS) or is_rule(text)


def is_rule(text: str) -> bool:
    """Whether it is a condition, such as stands in a CHECK, and no statement."""
    return isinstance(_read(text), _RULES) and " " in text.strip()


def mutated(statement: str) -> Iterator[str]:
    """Every mutant of one statement or rule, once; none where sqlglot cannot read it."""
    tree = _read(statement)
    if tree is None:
        return
    named = bool(_COLON_NAME.search(statement))
    seen = {_written(tree, named)}
    for number, node in enumerate(tree.walk()):
        for new in _replacements(node):
            text = _written(_with(tree, number, new), named)
            if text not in seen:
                seen.add(text)
                yield text


def laid_out(statement: str) -> str:
    """A statement over several lines, so that what differs is a line or two."""
    tree = _read(statement)
    if tree is None:
        return statement
    return _text(tree, pretty=True)


def _same(step: Step) -> str:
    tree = _read(step.text)
    return step.text if tree is None else _written(tree, bool(_COLON_NAME.search(step.text)))


def _read(statement: str) -> exp.Expr | None:
    log = logging.getLogger("sqlglot")
    level = log.level
    log.setLevel(logging.CRITICAL)  # it warns of what it only keeps as text
    try:
        tree = sqlglot.parse_one(statement, read=_DIALECT)
    except sqlglot.errors.SqlglotError:
        return None
    finally:
        log.setLevel(level)
    return None if isinstance(tree, exp.Command) else tree


def _written(tree: exp.Expr, named: bool) -> str:
    if named:
        tree = tree.transform(_as_colon_name)
    return _text(tree)


def _text(tree: exp.Expr, *, pretty: bool = False) -> str:
    # It warns of syntax that other databases lack.
    ignored = sqlglot.ErrorLevel.IGNORE
    return tree.sql(_DIALECT, pretty=pretty, comments=False, unsupported_level=ignored)


def _as_colon_name(node: exp.Expr) -> exp.Expr:
    """SQLAlchemy's ``:name``, which sqlglot would write as psycopg's ``%(name)s``."""
    if isinstance(node, exp.Placeholder) and node.name:
        return exp.Var(this=f":{node.name}")
    return node


def _with(tree: exp.Expr, number: int, new: exp.Expr) -> exp.Expr:
    """A copy of the tree in which the node of this number is another."""
    copy = tree.copy()
    node = next(n for i, n in enumerate(copy.walk()) if i == number)
    if node is copy:
        return new
    node.replace(new)
    return copy


def _replacements(node: exp.Expr) -> Iterator[exp.Expr]:
    for operator in _OPERATORS:
        yield from operator(node)


def _swapped(node: exp.Expr) -> Iterator[exp.Expr]:
    """Its opposite: ``<`` and ``<=``, AND and OR, min and max."""
    sets_a_column = isinstance(node.parent, exp.Update | exp.OnConflict)
    if (other := _SWAPS.get(type(node))) and not sets_a_column:
        yield other(**{key: _copied(value) for key, value in node.args.items()})


def _one_side(node: exp.Expr) -> Iterator[exp.Expr]:
    """One of two conditions, or the first of several values to fall back on."""
    if isinstance(node, exp.Connector):
        yield node.left.copy()
        yield node.right.copy()
    if isinstance(node, exp.Coalesce):
        yield node.this.copy()


def _negated(node: exp.Expr) -> Iterator[exp.Expr]:
    """NOT, IS NULL and EXISTS the other way round; a sign left out."""
    if isinstance(node, exp.Not | exp.Neg):
        yield node.this.copy()
    elif isinstance(node, exp.Is | exp.Exists | exp.In | exp.Between) and not isinstance(
        node.parent, exp.Not
    ):
        yield exp.Not(this=node.copy())


def _without_a_clause(node: exp.Expr) -> Iterator[exp.Expr]:
    for key in _CLAUSES:
        if node.args.get(key):
            yield _changed(node, key, None)


def _without_a_member(node: exp.Expr) -> Iterator[exp.Expr]:
    """Without one of its columns, actions, joins, locks or rules."""
    if isinstance(node, exp.Tuple):
        return  # a row with a value too few is no SQL
    for key, least in _LISTS.items():
        members = node.args.get(key)
        if isinstance(members, list) and len(members) >= least:
            for left_out in range(len(members)):
                yield _changed(node, key, members[:left_out] + members[left_out + 1 :])


def _another_value(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.Boolean):
        yield exp.Boolean(this=not node.this)
    elif isinstance(node, exp.Literal) and node.is_string:
        yield exp.Literal.string(f"XX{node.name}XX")
    elif isinstance(node, exp.Literal) and node.name.isdigit():
        yield exp.Literal.number(int(node.name) + 1)


def _another_kind(node: exp.Expr) -> Iterator[exp.Expr]:
    """Another join, order, union or count; a reference that does something else on delete."""
    if isinstance(node, exp.Join):
        if node.side:
            yield _changed(node, "side", None)
        elif node.args.get("on"):
            yield _changed(node, "side", "LEFT")
    elif isinstance(node, exp.Ordered) and _has_a_direction(node):
        yield _changed(node, "desc", not node.args.get("desc"))
    elif isinstance(node, exp.SetOperation):
        yield _changed(node, "distinct", not node.args.get("distinct"))
    elif isinstance(node, exp.Distinct) and node.expressions and node.parent is not None:
        if isinstance(node.parent, exp.AggFunc) and len(node.expressions) == 1:
            yield node.expressions[0].copy()
    elif isinstance(node, exp.Filter):
        yield node.this.copy()
    elif isinstance(node, exp.Reference):
        yield from _references(node)


def _has_a_direction(node: exp.Ordered) -> bool:
    """Whether it matters: not in an index, and not for the columns that DISTINCT ON names."""
    query = node.parent.parent if isinstance(node.parent, exp.Order) else None
    distinct = query.args.get("distinct") if query is not None else None
    on = distinct.args.get("on") if distinct is not None else None
    return query is not None and (on is None or node.this not in on.expressions)


def _references(node: exp.Reference) -> Iterator[exp.Expr]:
    swaps = {"ON DELETE CASCADE": "ON DELETE SET NULL", "ON DELETE SET NULL": "ON DELETE CASCADE"}
    options = node.args.get("options") or []
    for place, option in enumerate(options):
        if other := swaps.get(str(option)):
            yield _changed(node, "options", [*options[:place], other, *options[place + 1 :]])


def _changed(node: exp.Expr, key: str, value: object) -> exp.Expr:
    copy = node.copy()
    copy.set(key, _copied(value))
    return copy


def _copied(value: object) -> object:
    if isinstance(value, exp.Expr):
        return value.copy()
    return [_copied(each) for each in value] if isinstance(value, list) else value


_OPERATORS: tuple[Callable[[exp.Expr], Iterator[exp.Expr]], ...] = (
    _swapped,
    _one_side,
    _negated,
    _without_a_clause,
    _without_a_member,
    _another_value,
    _another_kind,
)
