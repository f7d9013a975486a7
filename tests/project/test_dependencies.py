"""pyproject.toml, requirements.lock, environment.yml and docs/dependencies.md say the same."""

import importlib.metadata
import re

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

LEVELS = ("", "cache", "grade", "sign", "dask", "docs", "api", "studio", "lab", "author", "dev")


@pytest.fixture(scope="module")
def locked(root):
    """Each locked package with its pins; one that differs between platforms has several."""
    pins: dict[str, list[Requirement]] = {}
    for line in (root / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            pins.setdefault(canonicalize_name(pin.name), []).append(pin)
    return pins


def version_of(pin: Requirement) -> Version:
    (specifier,) = pin.specifier
    assert specifier.operator == "=="
    return Version(specifier.version)


@pytest.mark.parametrize("level", LEVELS)
def test_the_lock_holds_every_dependency_in_its_range(locked, requirements_of, level):
    for need in requirements_of(level):
        pins = locked[canonicalize_name(need.name)]
        assert all(version_of(pin) in need.specifier for pin in pins), need


def test_the_lock_holds_what_the_dependencies_need_in_turn(locked, requirements_of):
    waiting = [need for level in LEVELS for need in requirements_of(level)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        need = waiting.pop()
        name = canonicalize_name(need.name)
        here = [pin for pin in locked[name] if pin.marker is None or pin.marker.evaluate()]
        assert len(here) == 1, f"{name} has {len(here)} pins for this machine"
        assert version_of(here[0]) in need.specifier, need
        for extra in {"", *need.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += needs_of(name, extra)
    assert len(seen) > 50


def needs_of(name: str, extra: str) -> list[Requirement]:
    environment = {**default_environment(), "extra": extra}
    found = map(Requirement, importlib.metadata.requires(name) or ())
    return [need for need in found if need.marker is None or need.marker.evaluate(environment)]


def test_the_lock_names_no_address_and_no_path(root):
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"://|^-|@|\.\./|^[./]", text, re.MULTILINE)


@pytest.fixture(scope="module")
def conda(root):
    """The requirements of environment.yml, those of conda and those of pip together."""
    listed = yaml.safe_load((root / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    (pip,) = [entry["pip"] for entry in listed if isinstance(entry, dict)]
    return [entry for entry in listed if isinstance(entry, str)], pip


def test_conda_gives_the_notebooks_what_pip_gives(conda, requirements_of):
    from_conda, from_pip = conda
    assert from_pip[-1] == "-e .[lab]"
    listed = [*from_conda, *from_pip[:-1]]
    packages = {str(need) for need in map(Requirement, listed)} - {"pip"}
    python = {one for one in packages if one.startswith("python")}
    wanted = {
        str(need)
        for level in ("", "grade", "api", "studio", "lab")
        for need in requirements_of(level)
    }
    assert packages - python == wanted


def test_conda_gives_a_python_that_the_kit_runs_on(conda, project):
    (python,) = [need for need in map(Requirement, conda[0]) if need.name == "python"]
    assert python.specifier == SpecifierSet(project["requires-python"])


def test_conda_is_asked_for_what_pip_would_otherwise_replace(conda):
    """A package that stands in both sections would be installed twice."""
    from_conda, from_pip = conda
    named = [Requirement(line).name for line in (*from_conda, *from_pip[:-1])]
    assert len(named) == len(set(named))


@pytest.fixture(scope="module")
def explained(root):
    """Each level's rows of docs/dependencies.md: package to range."""
    levels: dict[str, dict[str, str]] = {}
    for line in (root / "docs/dependencies.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = re.match(r"## `(\w+)`", line)
            rows = levels.setdefault(heading.group(1) if heading else "", {})
        elif line.startswith("| ") and not line.startswith("| package"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == 5, line
            assert all(cells), line
            rows[cells[0]] = cells[1]
    return levels


@pytest.mark.parametrize("level", LEVELS)
def test_every_dependency_is_explained_and_nothing_else_is(explained, requirements_of, level):
    rows = {name: SpecifierSet(bounds) for name, bounds in explained[level].items()}
    assert rows == {need.name: need.specifier for need in requirements_of(level)}
