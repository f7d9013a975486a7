"""The syntax trees that several judges in one process read at the same time."""

from __future__ import annotations

import ast
import gc
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader import syntax
from grader.syntax import tree_of

SOURCE = Path(syntax.__file__).read_text()


@pytest.fixture
def collected_in_the_middle() -> Iterator[None]:
    """Garbage is collected often, and each collection lets another thread go on."""

    def let_others_run(phase: str, info: dict[str, int]) -> None:
        time.sleep(0)

    thresholds = gc.get_threshold()
    gc.callbacks.append(let_others_run)
    gc.set_threshold(20)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(let_others_run)


@pytest.mark.usefixtures("collected_in_the_middle")
def test_several_threads_read_at_the_same_time() -> None:
    wanted = ast.dump(ast.parse(SOURCE))
    with ThreadPoolExecutor(3) as threads:
        trees = list(threads.map(tree_of, [SOURCE] * 60))
    assert {ast.dump(tree) for tree in trees} == {wanted}


@pytest.mark.parametrize(
    "source",
    [
        "def f(:",
        "a = 1\0",
        b"# coding: nothing\n",
        "(" * 300,
        "-" * 100_000 + "1",
        "x." * 5000 + "x",
    ],
    ids=["unfinished", "null byte", "unknown encoding", "brackets", "signs", "attributes"],
)
def test_whatever_cannot_be_read_is_a_syntax_error(source: str | bytes) -> None:
    with pytest.raises(SyntaxError):
        tree_of(source)


def test_the_error_names_the_file_and_the_line() -> None:
    with pytest.raises(SyntaxError) as caught:
        tree_of("a = 1\nb = = 2\n", "0001_first.py")
    assert (caught.value.filename, caught.value.lineno) == ("0001_first.py", 2)


def test_a_tree_is_that_of_python() -> None:
    assert ast.dump(tree_of(SOURCE.encode())) == ast.dump(ast.parse(SOURCE))
