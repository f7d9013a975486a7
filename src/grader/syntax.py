"""Python sources as syntax trees, read by several threads of one process.

Some versions of CPython, 3.11.7 among them, count how deep the tree that they build is in one place
for all threads. A collection of garbage in the middle can let another thread build one too, and
then one of the two ends with a SystemError. Source: python/cpython, issue 106905 and pull request
113035.
"""

from __future__ import annotations

import ast
import threading

_one_at_a_time = threading.Lock()


def tree_of(source: str | bytes, file: str = "<unknown>") -> ast.Module:
    """The syntax tree of a module.

    Args:
        source: the module, as text or as bytes in the encoding that it declares.
        file: what it is called in errors.

    Raises:
        SyntaxError: this is not valid Python, holds a null byte, or is nested too deeply.
    """
    try:
        with _one_at_a_time:
            return ast.parse(source, file)
    except (RecursionError, MemoryError) as error:
        raise SyntaxError("nested too deeply") from error
    except ValueError as error:
        raise SyntaxError(str(error)) from error
