"""Which of an exercise's given modules stand alone, so that they can be imported beforehand."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from grader.syntax import tree_of

_SUFFIX = ".py"
_DYNAMIC = frozenset({"importlib", "__import__", "runpy", "exec", "eval"})
"""What a module that uses them imports cannot be read in it."""
_SCRIPTS = frozenset({"alembic"})
"""What imports them runs inside a command, and is imported by nobody."""


def independent(given: Mapping[str, bytes], answer: Iterable[str]) -> dict[str, str]:
    """The sources, by file name, of the given modules that import nothing of the answer: neither
    themselves nor by way of another one that is given.

    Args:
        given: the files that the course puts beside an answer.
        answer: names of the files that are handed in.
    """
    sources: dict[str, str] = {}
    uses: dict[str, set[str]] = {}
    for name, content in given.items():
        module = name.removesuffix(_SUFFIX)
        if name.endswith(_SUFFIX) and module.isidentifier():
            try:
                sources[module] = content.decode()
                uses[module] = _names(tree_of(sources[module]))
            except (SyntaxError, ValueError):  # whoever imports it is told
                sources.pop(module, None)
    dependent = {name.removesuffix(_SUFFIX) for name in answer} | _DYNAMIC | _SCRIPTS
    dependent |= {name.removesuffix(_SUFFIX) for name in given} - sources.keys()
    while further := {module for module in sources if uses[module] & dependent}:
        dependent |= further
        for module in further:
            del sources[module]
    return {module + _SUFFIX: source for module, source in sources.items()}


def _names(tree: ast.Module) -> set[str]:
    """What a module imports, and by what it may import more."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0] if not node.level else "importlib")
        elif isinstance(node, ast.Name) and node.id in _DYNAMIC:
            found.add(node.id)
    return found
