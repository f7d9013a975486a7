"""Modules stay small enough to read, and say what they offer."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

MODULE_LINES = 450
FUNCTION_LINES = 80
PACKAGES = ("grader", "kit", "pglab", "tracker")


@pytest.fixture(scope="module")
def sources(tracked_files, root):
    found = [
        path for path in tracked_files if path.suffix == ".py" and (root / "src") in path.parents
    ]
    assert found
    return found


def test_no_module_is_longer_than_a_reader_can_hold(sources):
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in sources}
    assert not {name: lines for name, lines in lengths.items() if lines > MODULE_LINES}


def test_no_function_is_longer_than_two_screens(sources):
    too_long = {
        f"{path.name}: {name}": lines
        for path in sources
        for name, lines in function_lengths(path)
        if lines > FUNCTION_LINES
    }
    assert not too_long


@pytest.mark.parametrize("package", PACKAGES)
def test_the_page_on_the_architecture_says_where_everything_is(sources, root, package):
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    _, _, after = page.partition(f"\n### {package}\n")
    named = set(re.findall(r"`([^`]+)`", re.split(r"\n##", after)[0]))
    here = root / "src" / package
    tops = {path.relative_to(here).parts for path in sources if here in path.parents}
    there = {f"{parts[0]}/" if len(parts) > 1 else parts[0] for parts in tops}
    assert {name for name in there - named if not name.startswith("__")} == set()


def function_lengths(path: Path) -> list[tuple[str, int]]:
    return [
        (node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_no_module_is_named_after_nothing_in_particular(sources):
    assert not {path.stem for path in sources} & {"utils", "helpers", "common", "manager", "misc"}


def modules_with_all() -> list[str]:
    names = []
    for package in map(importlib.import_module, PACKAGES):
        for found in (package.__name__, *walk(package.__path__, package.__name__)):
            path = importlib.util.find_spec(found).origin
            if "\n__all__ = " in Path(path).read_text(encoding="utf-8"):
                names.append(found)
    return names


def walk(path, package: str) -> list[str]:
    return [module.name for module in pkgutil.walk_packages(path, package + ".")]


@pytest.mark.parametrize("name", modules_with_all())
def test_public_names_exist_and_are_said_once(name):  # their order is ruff's RUF022
    module = importlib.import_module(name)
    assert len(module.__all__) == len(set(module.__all__))
    assert not [public for public in module.__all__ if not hasattr(module, public)]
