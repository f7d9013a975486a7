"""What the project says of itself, read once."""

import tomllib
from collections.abc import Iterable

import pytest
from packaging.requirements import Requirement


@pytest.fixture(scope="session")
def project(root):
    """The [project] table of pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="session")
def requirements_of(project):
    """Requirements of one level alone ("" is the kit itself): requirements_of("grade")."""

    def of(level: str) -> list[Requirement]:
        extras: dict[str, list[str]] = project["optional-dependencies"]
        lines: Iterable[str] = extras[level] if level else project["dependencies"]
        return [found for found in map(Requirement, lines) if found.name != project["name"]]

    return of
