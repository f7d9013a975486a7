"""The doctor: what is wrong with a machine, and the cure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kit import doctor, packages
from kit.doctor import Finding, Status
from tests.kit.conftest import Ended, Kit

Inside = Callable[..., Ended]


@pytest.fixture
def home(kit_home_for_servers: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KIT_HOME", str(kit_home_for_servers))
    return kit_home_for_servers


def test_an_old_python_is_bad() -> None:
    finding = doctor.look_at_python((3, 10))
    assert finding.status is Status.BAD
    assert "3.11 or later" in finding.meaning
    assert doctor.look_at_python((3, 11)).status is Status.OK


def test_the_packages_that_are_installed_here_fit() -> None:
    assert packages.shortcomings() == {}


def test_missing_and_unfit_packages_are_found_by_the_part_that_needs_them() -> None:
    def version_of(name: str) -> str:
        if name == "gone":
            raise packages.importlib.metadata.PackageNotFoundError(name)
        return "1.4"

    required = [
        "there>=1",
        "old>=2,<3",
        'gone>=1; extra == "grade"',
        'kit[grade]; extra == "lab"',
        'never>=9; extra == "other"',
    ]
    assert packages.shortcomings(required, version_of) == {
        "": ["old is 1.4, needed is <3,>=2"],
        "grade": ["gone is missing, needed is >=1"],
    }


@pytest.mark.parametrize(
    ("wrong", "status", "cure"),
    [
        ({}, Status.OK, ""),
        ({"": ["sqlalchemy is missing"]}, Status.BAD, "pip install -e ."),
        ({"lab": ["jupyterlab is missing"]}, Status.WARN, "make lab"),
        ({"": ["x is missing"], "lab": ["y is missing"]}, Status.BAD, "pip install -e ."),
    ],
)
def test_a_missing_package_is_as_bad_as_the_part_that_needs_it(
    wrong: dict[str, list[str]], status: Status, cure: str
) -> None:
    finding = doctor.look_at_packages(wrong)
    assert finding.status is status
    assert cure in finding.cure


@pytest.mark.parametrize(
    ("free_megabytes", "status"), [(150, Status.BAD), (500, Status.WARN), (5000, Status.OK)]
)
def test_a_disk_that_fills_up_is_told_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_megabytes: int, status: Status
) -> None:
    usage = type(shutil.disk_usage(tmp_path))(0, 0, free_megabytes * 1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: usage)
    assert doctor.look_at_disk(tmp_path / "not" / "there").status is status


def test_a_home_that_cannot_be_written_to_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("KIT_HOME", str(tmp_path / "file" / "home"))
    finding = doctor.look_at_home()
    assert finding.status is Status.BAD
    assert "KIT_HOME" in finding.cure


@pytest.mark.parametrize(
    ("environment", "status"),
    [
        ({}, Status.OK),
        ({"HTTPS_PROXY": "http://proxy:3128"}, Status.WARN),
        ({"https_proxy": "http://proxy:3128", "NO_PROXY": "localhost"}, Status.WARN),
        ({"https_proxy": "http://proxy:3128", "NO_PROXY": "localhost,127.0.0.1"}, Status.OK),
        ({"all_proxy": "http://proxy:3128", "no_proxy": "*"}, Status.OK),
    ],
)
def test_a_proxy_between_browser_and_kernel_is_seen(
    environment: dict[str, str], status: Status
) -> None:
    assert doctor.look_at_proxy(environment).status is status


def test_an_output_without_utf8_is_seen(kit: Kit) -> None:
    program = "from kit.doctor import look_at_locale as look; print(look().status, look().cure)"
    ended = kit.run([*kit.command()[:1], "-c", program], PYTHONIOENCODING="ascii")
    assert ended.out.startswith("warn Set LANG=C.UTF-8")


@pytest.mark.sandbox
def test_a_sandbox_that_works_is_seen_to_work() -> None:
    assert doctor.look_at_sandbox().status is Status.OK


@pytest.mark.parametrize(
    ("platform", "bwrap", "cure"),
    [
        ("darwin", None, "for Linux"),
        ("linux", None, "apt install bubblewrap"),
        ("linux", "/usr/bin/bwrap", "userns"),
    ],
)
def test_the_cure_of_a_missing_sandbox_fits_the_machine(
    platform: str, bwrap: str | None, cure: str
) -> None:
    assert cure in doctor.sandbox_cure(platform, bwrap)


def test_a_container_engine_that_is_not_there_is_no_harm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")
    finding = doctor.look_at_container_engine()
    assert finding.status is Status.INFO
    assert "none is needed" in finding.found
    assert not finding.cure


def test_the_embedded_server_is_really_started_and_leaves_nothing(home: Path) -> None:
    finding = doctor.look_at_embedded()
    assert finding.status is Status.OK
    assert "PostgreSQL 18" in finding.found


def test_what_a_killed_command_left_is_cleared_away_and_told(
    kit: Kit, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = home / "temporary"
    temporary.mkdir()
    temporary.chmod(0o1777)
    monkeypatch.setattr("pglab.servers.places.temporary_place", lambda _account: temporary)
    left = temporary / "kit-pg-left"
    left.mkdir()
    (left / "owner.lock").touch()
    finding = doctor.look_at_servers()
    assert finding.status is Status.WARN
    assert "1 that killed commands left behind" in finding.found
    assert not left.exists()
    assert doctor.look_at_servers().status is Status.OK


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts findings of the test's own in place of the machine's."""

    def put(*findings: Finding) -> None:
        monkeypatch.setattr(doctor, "examine", lambda: iter(findings))

    return put


FINE = Finding("python", Status.OK, "3.13")
ODD = Finding("sandbox", Status.WARN, "no bubblewrap", "No grading.", "Install it.")
GOOD_TO_KNOW = Finding("containers", Status.INFO, "none", "None is needed.")
BROKEN = Finding("disk", Status.BAD, "0.1 GB free", "Servers stop.", "Delete something.")


@pytest.mark.parametrize(
    ("findings", "code", "verdict"),
    [
        ([FINE], 0, "The kit works here."),
        ([FINE, GOOD_TO_KNOW], 0, "The kit works here."),
        ([FINE, ODD], 0, "The kit works here. Worth a look: sandbox."),
        ([ODD, BROKEN], 3, "The kit cannot work here until this is cured: disk."),
    ],
)
def test_the_verdict_and_the_exit_code_follow_the_worst_finding(
    inside: Inside,
    examined: Callable[..., None],
    findings: list[Finding],
    code: int,
    verdict: str,
) -> None:
    examined(*findings)
    ended = inside("doctor")
    assert ended.code == code
    assert ended.out.splitlines()[-1] == verdict
    data = json.loads(inside("doctor", "--json").out)
    assert data["healthy"] is (code == 0)
    assert [found["name"] for found in data["findings"]] == [found.name for found in findings]


def test_what_is_wrong_comes_with_meaning_and_cure(
    inside: Inside, examined: Callable[..., None]
) -> None:
    examined(FINE, BROKEN)
    told = inside("doctor").out
    assert "bad  disk" in told
    assert "Servers stop." in told
    assert "Cure: Delete something." in told


def test_what_is_only_good_to_know_comes_without_a_cure(
    inside: Inside, examined: Callable[..., None]
) -> None:
    examined(GOOD_TO_KNOW)
    told = inside("doctor").out
    assert "info containers" in told
    assert "None is needed." in told
    assert "Cure" not in told


def test_an_examination_that_fails_is_a_finding_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def explode() -> Finding:
        raise ZeroDivisionError

    monkeypatch.setattr(doctor, "EXAMINATIONS", {"odd": explode, "python": doctor.look_at_python})
    first, second = doctor.examine()
    assert (first.name, first.status) == ("odd", Status.BAD)
    assert second.status is Status.OK


def test_every_examination_gives_a_finding_of_its_own_name(home: Path) -> None:
    quick = {name: look for name, look in doctor.EXAMINATIONS.items() if name != "embedded"}
    for name, look in quick.items():
        finding = look()
        assert finding.name == name
        assert finding.meaning or finding.status is Status.OK
        assert finding.cure or finding.status in {Status.OK, Status.INFO}
