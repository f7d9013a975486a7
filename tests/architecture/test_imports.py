"""The direction of imports, and what an import may cost."""

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGES = ("grader", "kit", "pglab", "tracker")
FORBIDDEN = [
    ("tracker", "pglab"),
    ("tracker", "grader"),
    ("tracker", "kit"),
    ("pglab", "tracker"),
    ("pglab", "grader"),
    ("pglab", "kit"),
    ("grader", "tracker"),
    ("grader", "kit"),
]


def lint_imports(folder: Path, source: Path) -> subprocess.CompletedProcess[str]:
    program = f"""
import sys
sys.path.insert(0, {str(source)!r})
from importlinter.cli import lint_imports
raise SystemExit(lint_imports(config_filename="pyproject.toml", no_cache=True))
"""
    command = [sys.executable, "-P", "-c", program]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_import_goes_in_the_agreed_direction(root):
    answer = lint_imports(root, root / "src")
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(("importer", "imported"), FORBIDDEN)
def test_an_import_against_the_agreed_direction_is_found(root, tmp_path, importer, imported):
    (tmp_path / "pyproject.toml").write_text((root / "pyproject.toml").read_text())
    modules = {
        module
        for contract in contracts(root)
        for module in (*contract.get("source_modules", ()), *contract.get("forbidden_modules", ()))
        if module.split(".")[0] in PACKAGES
    }
    for module in (*PACKAGES, *modules):
        folder = tmp_path / "src" / module.replace(".", "/")
        folder.mkdir(parents=True, exist_ok=True)
        for package in (folder, *folder.relative_to(tmp_path / "src").parents):
            (tmp_path / "src" / package / "__init__.py").touch()
    (tmp_path / "src/__init__.py").unlink(missing_ok=True)
    assert lint_imports(tmp_path, tmp_path / "src").returncode == 0

    (tmp_path / "src" / importer / "__init__.py").write_text(f"import {imported}\n")

    answer = lint_imports(tmp_path, tmp_path / "src")
    assert answer.returncode == 1
    assert f"{importer} -> {imported}" in answer.stdout


def contracts(root: Path) -> list[dict[str, object]]:
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    return settings["tool"]["importlinter"]["contracts"]


def test_the_tracker_runs_without_the_tools_around_it(root, run_python):
    program = """
import importlib, pkgutil, sys
import tracker
for module in pkgutil.walk_packages(tracker.__path__, "tracker."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""
    answer = run_python(program)
    assert answer.returncode == 0, answer.stderr
    loaded = set(answer.stdout.split())
    assert "tracker" in loaded
    tools = {"IPython", "docker", "jupyter_core", "nbformat", "pytest", "rich", "testcontainers"}
    assert not loaded & (tools | {"grader", "kit", "pglab"})


def test_the_tracker_and_its_stores_load_no_web_framework(run_python):
    program = "import sys, tracker.db, tracker.services, tracker.stores; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in run_python(program).stdout.split()}
    assert "sqlalchemy" in loaded
    assert not loaded & {"fastapi", "starlette", "uvicorn", "sqladmin"}


def dependencies(root: Path, *extras: str) -> set[str]:
    """The packages that the kit asks for by name, with these extras."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in extras for line in project["optional-dependencies"][extra]),
    ]
    return {canonicalize_name(Requirement(line).name) for line in lines}


# Which dependencies a package may import: what is installed where that package has to run.
LEVELS = {
    "tracker": ("cache",),
    "tracker/api": ("api",),
    "pglab": ("grade",),
    "grader": ("grade",),
    "grader/cluster": ("grade", "dask"),
    "grader/mutants": ("grade", "author"),
    "grader/signing": ("grade", "sign"),
    "grader/worker/serving": ("grade", "api"),
    "kit": ("grade", "sign"),
    "kit/notebook": ("grade", "lab"),
    "kit/web": ("api", "studio"),
}


@pytest.mark.parametrize("package", LEVELS)
def test_a_package_imports_only_what_its_level_installs(root, package):
    allowed = dependencies(root, *LEVELS[package])
    owners = packages_distributions()
    strangers = []
    nested = [root / "src" / other for other in LEVELS if other.startswith(f"{package}/")]
    for path in sorted((root / "src" / package).rglob("*.py")):
        if any(folder in path.parents for folder in nested):
            continue
        for name in imported_names(path):
            if name in sys.stdlib_module_names or name in PACKAGES:
                continue
            owned_by = {canonicalize_name(owner) for owner in owners.get(name, ())}
            if not owned_by & allowed:
                strangers.append(f"{path.relative_to(root)} imports {name}")
    assert not strangers, "\n".join(strangers)


def imported_names(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names
