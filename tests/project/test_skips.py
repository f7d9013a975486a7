"""A run that demands a capability cannot pass by skipping what needs it."""

import os
import shutil
import subprocess
import sys

import pytest

SUITE = """
import pytest

@pytest.mark.sandbox
def test_that_needs_the_sandbox():
    pass

@pytest.mark.sandbox
def test_that_gives_up():
    pytest.skip("not today")

def test_that_asks_as_it_goes(require_capability):
    require_capability("sandbox")

def test_that_needs_nothing():
    pytest.skip("for a reason of its own")
"""


@pytest.fixture
def run(tmp_path, root):
    """Run the suite beside a copy of the real conftest, on a machine with or without a sandbox."""

    def run(*, lacking: bool, require: str = "") -> subprocess.CompletedProcess[str]:
        shutil.copy(root / "tests/conftest.py", tmp_path / "conftest.py")
        with (tmp_path / "conftest.py").open("a") as conftest:
            answer = "'bubblewrap is not installed'" if lacking else "None"
            conftest.write(f"\nCAPABILITIES['sandbox'] = lambda: {answer}\n")
        (tmp_path / "test_suite.py").write_text(SUITE)
        (tmp_path / "pytest.ini").write_text(
            "[pytest]\nmarkers =\n  container\n  sandbox\n  browser\n  redis\n"
        )
        command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", str(tmp_path)]
        env = {**os.environ, "KIT_REQUIRE": require}
        return subprocess.run(
            command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )

    return run


@pytest.mark.slow
def test_what_the_machine_lacks_is_skipped_with_the_reason(run):
    answer = run(lacking=True)
    assert answer.returncode == 0
    assert "4 skipped" in answer.stdout
    assert "bubblewrap is not installed" in answer.stdout


@pytest.mark.slow
def test_what_the_run_demands_and_the_machine_lacks_fails(run):
    answer = run(lacking=True, require="sandbox")
    assert answer.returncode == 1
    assert "bubblewrap is not installed, and KIT_REQUIRE names sandbox" in answer.stdout
    assert "1 skipped" in answer.stdout


@pytest.mark.slow
def test_a_marked_test_that_skips_itself_fails_where_its_capability_is_demanded(run):
    answer = run(lacking=False, require="sandbox")
    assert answer.returncode == 1
    assert "FAILED test_suite.py::test_that_gives_up" in answer.stdout
    assert "skipped where KIT_REQUIRE forbids it" in answer.stdout
    assert "1 failed, 2 passed, 1 skipped" in answer.stdout


@pytest.mark.slow
def test_a_demand_that_nobody_knows_is_refused(run):
    answer = run(lacking=False, require="sandbox,docker")
    assert answer.returncode == pytest.ExitCode.USAGE_ERROR
    assert "KIT_REQUIRE names docker; known: container, sandbox, browser, redis" in answer.stderr
