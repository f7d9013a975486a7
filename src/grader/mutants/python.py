"""Mutants of a Python file: by the operators of mutmut, by some of our own, and, where a string is
SQL, by those of `grader.mutants.sql`.

mutmut's command runs a project's own tests, which cannot judge an answer; its operators are
functions from a node of libcst's tree to other nodes, and need nothing else of it. They change
values, operators and arguments. Ours leave things out: a statement, a handler, a transaction, a
step in the chain that builds a query; and make a column nullable that was not.

Left alone are imports, annotations of functions, docstrings, what the message of an exception says,
and the names that an answer gives to its constraints and types.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import libcst as cst
import libcst.matchers as m
from mutmut.mutation import mutators

from grader.mutants import sql
from grader.syntax import tree_of

__all__ = ["module_mutants", "written_back"]


def module_mutants(source: str) -> Iterator[tuple[str, str]]:
    """Every mutant of a module, once: the function or class that it is in, and the whole source.

    Mutants that do not compile, or mean the same, are not among them.
    """
    module = cst.parse_module(source)
    finder = _Finder()
    module.visit(finder)
    seen = {ast.dump(tree_of(source))}
    for place, node, new in finder.found:
        text = _with(module, node, new)
        try:
            meaning = ast.dump(tree_of(text))
        except SyntaxError:
            continue
        if meaning not in seen:
            seen.add(meaning)
            yield place, text


def written_back(source: str) -> str:
    """The module with each SQL string as sqlglot writes it."""
    module = cst.parse_module(source)
    finder = _Finder()
    module.visit(finder)
    for node in finder.statements:
        module = cst.ensure_type(
            module.deep_replace(node, _string(sql.written_back(_value(node)).rstrip(";\n"))),
            cst.Module,
        )
    return module.code


def _with(module: cst.Module, node: cst.CSTNode, new: cst.CSTNode) -> str:
    return cst.ensure_type(module.deep_replace(node, new), cst.Module).code


class _Finder(cst.CSTVisitor):
    """Goes through a module and notes what each node could be instead.

    Attributes:
        found: place, node and another node for it.
        statements: strings that are SQL statements.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, cst.CSTNode, cst.CSTNode]] = []
        self.statements: list[cst.BaseString] = []
        self._scopes: list[str] = []
        self._imported: set[str] = set()
        self._statements: set[cst.CSTNode] = set()
        """Calls that are statements, and statements that are all that a condition decides on:
        leaving these out changes what leaving out something around them changes."""

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.ImportFrom | cst.Import):
            self._imported |= set(_names(node))
            return False
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._scopes.append(node.name.value)
        if isinstance(node, cst.AnnAssign):
            self._note(node, _nullable(node))
        if isinstance(node, cst.Annotation | cst.Decorator) or _is_docstring(node):
            return False
        if m.matches(node, _OWN_NAME):
            return False
        if isinstance(node, cst.BaseString) and sql.is_sql(text := _value(node)):
            self._note(node, (_string(changed) for changed in sql.mutated(text)))
            if not sql.is_rule(text):
                self.statements.append(node)
            return False
        self._statements |= set(_says_it_already(node))
        for kind, operator in _OPERATORS:
            if isinstance(node, kind):
                self._note(node, operator(node))
        if isinstance(node, cst.SimpleStatementLine) and node not in self._statements:
            self._note(node, _without_a_statement(node))
        if isinstance(node, cst.Call):
            self._note(node, self._with_less(node))
        # What an exception says is left open by every exercise.
        return not isinstance(node, cst.Raise)

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._scopes.pop()

    def _note(self, node: cst.CSTNode, others: Iterable[cst.CSTNode]) -> None:
        place = ".".join(self._scopes) or "module"
        self.found += [(place, node, other) for other in others]

    def _with_less(self, node: cst.Call) -> Iterator[cst.CSTNode]:
        """``query`` for ``query.where(…)``, and calls with fewer arguments."""
        before = node.func.value if isinstance(node.func, cst.Attribute) else None
        if isinstance(before, cst.Name) and before.value in self._imported:
            before = None
        if node in self._statements:
            before = None
        if before is not None:
            yield before
        yield from _without_an_argument(node, is_step=before is not None)


def _names(node: cst.Import | cst.ImportFrom) -> Iterator[str]:
    if isinstance(node.names, cst.ImportStar):
        return
    for alias in node.names:
        bound = alias.asname.name if alias.asname else alias.name
        if isinstance(bound, cst.Name):
            yield bound.value


def _is_docstring(node: cst.CSTNode) -> bool:
    return m.matches(node, m.SimpleStatementLine(body=[m.Expr(value=m.SimpleString())]))


def _value(node: cst.BaseString) -> str:
    """What a string holds; empty where that is only known when it runs."""
    if isinstance(node, cst.SimpleString | cst.ConcatenatedString):
        value = node.evaluated_value
        return value if isinstance(value, str) else ""
    return ""


def _string(value: str) -> cst.BaseString:
    return cst.SimpleString(repr(value))


def _says_it_already(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Parts of a node that need not be left out, because leaving out more means the same."""
    if isinstance(node, cst.Expr):
        yield node.value
    if isinstance(node, cst.If) and node.orelse is None and len(node.body.body) == 1:
        yield node.body.body[0]


def _without_an_argument(node: cst.Call, *, is_step: bool) -> Iterator[cst.CSTNode]:
    """Fewer arguments; None in the place of the only one, unless the whole step can be left out."""
    if len(node.args) == 1:
        wrong = node.args[0].star or m.matches(node.args[0].value, m.Name("None") | m.Name("True"))
        if not is_step and not wrong:
            yield node.with_changes(args=[node.args[0].with_changes(value=cst.Name("None"))])
        return
    for left_out in range(len(node.args)):
        yield node.with_changes(
            args=[arg for number, arg in enumerate(node.args) if number != left_out]
        )


def _first_of_mutmuts(node: cst.BaseString) -> Iterator[cst.CSTNode]:
    """A string with something added; that its case matters too says little more."""
    yield from list(mutators.operator_string(node))[:1]


def _without_a_statement(node: cst.SimpleStatementLine) -> Iterator[cst.CSTNode]:
    """Nothing in the place of a call, a change or a ``raise``."""
    if len(node.body) == 1 and isinstance(
        node.body[0], cst.Expr | cst.AugAssign | cst.Raise | cst.Del
    ):
        yield node.with_changes(body=[cst.Pass()])


def _decided(node: cst.If) -> Iterator[cst.CSTNode]:
    """A condition that is always, or never, taken to hold."""
    test = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    for operator, word in ((cst.And(), "False"), (cst.Or(), "True")):
        yield node.with_changes(
            test=cst.BooleanOperation(left=test, operator=operator, right=cst.Name(word))
        )


def _only_the_body(node: cst.With | cst.Try) -> Iterator[cst.CSTNode]:
    """What stands in a ``with`` or ``try``, without either."""
    if isinstance(node, cst.With) and any(item.asname for item in node.items):
        return
    yield cst.If(test=cst.Name("True"), body=node.body, leading_lines=node.leading_lines)


def _without_a_handler(node: cst.Try) -> Iterator[cst.CSTNode]:
    if len(node.handlers) > 1:
        for left_out in range(len(node.handlers)):
            rest = [h for number, h in enumerate(node.handlers) if number != left_out]
            yield node.with_changes(handlers=rest)


def _returns_nothing(node: cst.Return) -> Iterator[cst.CSTNode]:
    if node.value is not None and not m.matches(node.value, m.Name("None")):
        yield node.with_changes(value=cst.Name("None"))


def _without_an_element(node: cst.List | cst.Tuple | cst.Set | cst.Dict) -> Iterator[cst.CSTNode]:
    if len(node.elements) > 1:
        for left_out in range(len(node.elements)):
            rest = [e for number, e in enumerate(node.elements) if number != left_out]
            if not m.matches(node.elements[left_out], _OWN_NAME):
                yield node.with_changes(elements=rest)


def _one_side(node: cst.BooleanOperation) -> Iterator[cst.CSTNode]:
    yield node.left
    yield node.right


def _nullable(node: cst.AnnAssign) -> Iterator[cst.CSTNode]:
    """``Mapped[str | None]`` for ``Mapped[str]``, and the other way round; not of a primary key,
    which is never NULL, and not of a relationship, which is no column.
    """
    if not m.matches(node.annotation.annotation, _MAPPED):
        return
    if node.value is not None and m.matches(node.value, _RELATIONSHIP | _PRIMARY_KEY):
        return
    mapped = cst.ensure_type(node.annotation.annotation, cst.Subscript)
    inside = cst.ensure_type(mapped.slice[0].slice, cst.Index).value
    if m.matches(inside, m.BinaryOperation(operator=m.BitOr(), right=m.Name("None"))):
        left = cst.ensure_type(inside, cst.BinaryOperation).left
        yield node.with_deep_changes(mapped, slice=_index(left))
    elif isinstance(inside, cst.Name):
        either = cst.BinaryOperation(left=inside, operator=cst.BitOr(), right=cst.Name("None"))
        yield node.with_deep_changes(mapped, slice=_index(either))


def _index(value: cst.BaseExpression) -> list[cst.SubscriptElement]:
    return [cst.SubscriptElement(slice=cst.Index(value=value))]


_MAPPED = m.Subscript(value=m.Name("Mapped"), slice=[m.SubscriptElement(slice=m.Index())])
_RELATIONSHIP = m.Call(func=m.Name("relationship"))
_PRIMARY_KEY = m.Call(args=[m.ZeroOrMore(), m.Arg(keyword=m.Name("primary_key")), m.ZeroOrMore()])
_PATTERN = m.SimpleString(value=m.MatchRegex(r".*%\(\w+\)s.*"))
_OWN_NAME = m.Arg(keyword=m.Name("name"), value=m.SimpleString()) | m.DictElement(value=_PATTERN)
"""The name of a constraint or a type, or the pattern for such names: no check looks at it."""
_OTHERS = {mutators.operator_string, mutators.operator_arg_removal}
"""Operators of mutmut that make several mutants where one says as much."""

_Operators = list[tuple[Any, Callable[[Any], Iterable[cst.CSTNode]]]]

_OPERATORS: _Operators = [
    *((kind, op) for kind, op in mutators.mutation_operators if op not in _OTHERS),
    (cst.BaseString, _first_of_mutmuts),
    (cst.If, _decided),
    ((cst.With, cst.Try), _only_the_body),
    (cst.Try, _without_a_handler),
    (cst.Return, _returns_nothing),
    ((cst.List, cst.Tuple, cst.Set, cst.Dict), _without_an_element),
    (cst.BooleanOperation, _one_side),
]
