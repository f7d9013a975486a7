"""A wheel holds all that an installation without a checkout needs."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader.catalog import load_course

pytestmark = pytest.mark.slow


COURSE = ("course.toml", "exercises/", "notebooks/", "docs/misconceptions/")


@pytest.fixture(scope="module")
def copy(root: Path, tracked_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, because a build leaves its traces."""
    folder = tmp_path_factory.mktemp("project") / "kit"
    wanted = ("src", "migrations", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md")
    for path in tracked_files:
        name = path.relative_to(root)
        if name.parts[0] in wanted or name.as_posix().startswith(COURSE):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / name)
    return folder


def build(copy: Path, backend: str, folder: Path) -> Path:
    """Have setuptools build, and return what it made."""
    program = (
        "import sys, setuptools.build_meta as backend;"
        "print('made', getattr(backend, sys.argv[1])(sys.argv[2]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, backend, str(folder)],
        cwd=copy, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(copy, "build_wheel", tmp_path_factory.mktemp("wheel"))


def migrations_in(wheel: Path) -> set[str]:
    inside = "tracker/_migrations/"
    names = zipfile.ZipFile(wheel).namelist()
    return {name.removeprefix(inside) for name in names if name.startswith(inside)}


def test_every_file_of_the_packages_and_of_the_migrations_is_in_the_wheel(
    copy: Path, wheel: Path
) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {path for path in (copy / "src").rglob("*") if path.is_file()}
    packaged = {
        path.relative_to(copy / "src").as_posix() for path in sources if "egg-info" not in str(path)
    }
    assert len(packaged) > 100
    assert packaged - names == set()
    scripts = {path for path in (copy / "migrations").rglob("*") if path.is_file()}
    assert migrations_in(wheel) == {
        path.relative_to(copy / "migrations").as_posix() for path in scripts
    }
    assert "script.py.mako" in migrations_in(wheel)


def test_the_course_is_in_the_wheel_and_no_solution(copy: Path, wheel: Path) -> None:
    inside = "kit/_course/"
    names = zipfile.ZipFile(wheel).namelist()
    carried = {name.removeprefix(inside) for name in names if name.startswith(inside)}
    files = {p.relative_to(copy).as_posix() for p in copy.rglob("*") if p.is_file()}
    assert carried == {name for name in files if name.startswith(COURSE)}
    assert "notebooks/00_start.ipynb" in carried
    assert not [name for name in names if "solutions" in name or "test_hidden" in name]


def test_who_installs_the_wheel_can_make_a_course(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    done = subprocess.run(
        [sys.executable, "-m", "kit", "init", "mine"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(site)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Your course: mine\n"
    assert "cd mine" in done.stderr
    course = load_course(tmp_path / "mine")
    assert not course.broken
    assert "04_repository" in course.exercises
    assert (tmp_path / "mine" / "notebooks" / "00_start.ipynb").is_file()


def test_an_installation_finds_its_migrations(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    program = (
        "from tracker import migrations;"
        "print(migrations.migrations_directory());"
        "assert 'CREATE TABLE users' in migrations.sql()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(site)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == site / "tracker" / "_migrations"


def test_a_migration_that_is_gone_is_not_in_the_next_wheel(copy: Path, tmp_path: Path) -> None:
    extra = copy / "migrations" / "versions" / "9999_extra.py"
    extra.touch()
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    assert "versions/9999_extra.py" in migrations_in(build(copy, "build_wheel", first))
    extra.unlink()
    assert "versions/9999_extra.py" not in migrations_in(build(copy, "build_wheel", second))


def test_the_wheel_of_the_source_distribution_is_the_same(
    copy: Path, wheel: Path, tmp_path: Path
) -> None:
    archive = build(copy, "build_sdist", tmp_path)
    shutil.unpack_archive(archive, tmp_path / "sources", filter="data")
    (sources,) = (tmp_path / "sources").iterdir()
    again = build(sources, "build_wheel", tmp_path)
    assert migrations_in(again) == migrations_in(wheel)
