"""The checker that stays ready finds what a check without it finds, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from grader import batch
from grader.results import Outcome
from kit import doctor
from kit.standby import client, place
from tests.kit.conftest import Ended, Kit
from tests.kit.standby.conftest import PATIENCE_S, Warm, living, told, wait_until
from tests.kit.tiny_course import ENDLESS, EXERCISE, RIGHT, WRONG, answer_own

SANDBOXES = ["process", pytest.param("bubblewrap", marks=pytest.mark.sandbox)]


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_it_finds_what_a_check_without_it_finds(warm: Warm, sandbox: str) -> None:
    answer_own(warm.course, WRONG)
    without = batch.check(
        [EXERCISE], course_root=warm.course, home=warm.home, sandbox=sandbox, seed=7
    )
    first = warm.checked(sandbox=sandbox)
    keeper = warm.keeper()
    again = warm.checked(sandbox=sandbox)
    assert told(first) == told(without)
    assert told(again) == told(without)
    assert warm.keeper() == keeper


def test_the_command_prints_the_same_with_it_and_without_it(warm: Warm, kit: Kit) -> None:
    answer_own(warm.course, WRONG)

    def run(minutes: str, *words: str) -> Ended:
        return kit(
            "check", "--seed", "7", *words, cwd=warm.course, KIT_HOME=str(warm.home),
            KIT_WARM=minutes,
        )  # fmt: skip

    cold, first, second = run("0"), run("5"), run("5")
    assert cold.code == 1
    assert "The greeting is not in the table." in cold.out
    assert first == cold
    assert second == cold
    timed = run("5", "--timings")
    assert timed.out == cold.out
    assert "reach the checker that stays ready" in timed.err


@pytest.mark.slow
def test_without_a_seed_each_check_has_its_own(warm: Warm) -> None:
    answer_own(warm.course, RIGHT)
    seeds = {warm.checked(seed=None).evidence.seed for _ in range(3)}
    assert len(seeds) == 3
    assert all(s.earned == 2 for s in warm.checked(seed=None).submissions)


@pytest.mark.slow
def test_what_changes_between_two_checks_is_seen(warm: Warm) -> None:
    def failed() -> list[str]:
        (submission,) = warm.checked(seed=None).submissions
        checks = submission.exercises[0].checks
        return [check.title for check in checks if check.outcome is not Outcome.PASSED]

    answer_own(warm.course, WRONG)
    assert failed() == ["A greeting is stored"]
    answer_own(warm.course, RIGHT)
    assert failed() == []
    visible = warm.exercise / "test_visible.py"
    visible.write_text(
        visible.read_text("utf-8").replace("count(\"greetings\") < 2", "count(\"greetings\") > 2"),
        encoding="utf-8",
    )  # fmt: skip
    assert failed() == ["Nothing else is stored"]
    schema = warm.exercise / "schema.sql"
    schema.write_text(
        schema.read_text("utf-8").replace("words text", "words text CHECK (false)"), "utf-8"
    )
    assert "A greeting is stored" in failed()
    settings = warm.exercise / "exercise.toml"
    settings.write_text(settings.read_text("utf-8").replace('"Greetings"', '"Anew"'), "utf-8")
    assert warm.checked().submissions[0].exercises[0].title == "Anew"


def test_a_check_file_finds_the_environment_of_whoever_asks_and_prints_for_them(
    warm: Warm, kit: Kit, tmp_path: Path
) -> None:
    answer_own(warm.course, RIGHT)
    visible = warm.exercise / "test_visible.py"
    shown = (
        "import os, sys\nprint(os.environ.get('WEATHER'), os.getcwd())\n"
        "print('aside', file=sys.stderr)\n"
    )
    visible.write_text(shown + visible.read_text("utf-8"), encoding="utf-8")
    for weather in ("sunny", "rainy"):
        ended = kit(
            "check", cwd=warm.exercise, KIT_HOME=str(warm.home), KIT_WARM="5", WEATHER=weather
        )
        assert ended.code == 0
        assert f"{weather} {warm.exercise}" in ended.out
        assert "aside" in ended.err


@pytest.mark.slow
def test_another_environment_or_another_kit_gets_another_checker(
    warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm.checked()
    family = warm.family()
    monkeypatch.setenv("LANG", "C")
    warm.checked()
    assert warm.keeper() != family[0]
    wait_until(lambda: not living(family), "the old checker was gone")
    keeper = warm.keeper()
    monkeypatch.setattr(place, "_PACKAGES", (*place._PACKAGES, "tracker"))
    warm.checked()
    assert warm.keeper() != keeper


def test_the_fingerprint_changes_with_any_file_of_the_kit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "src" / "kit" / "standby" / "place.py"
    module.parent.mkdir(parents=True)
    other = tmp_path / "src" / "grader" / "judge.py"
    other.parent.mkdir()
    module.touch()
    other.touch()
    monkeypatch.setattr(place, "__file__", str(module))
    before = place.fingerprint()
    assert place.fingerprint() == before
    other.write_text("changed", encoding="utf-8")
    assert place.fingerprint() != before


@pytest.mark.slow
def test_killed_it_leaves_nothing_and_the_next_check_has_another(warm: Warm) -> None:
    answer_own(warm.course, RIGHT)
    warm.checked()
    family = warm.family()
    assert any("postgres" in process.name() for process in family)
    family[0].kill()
    wait_until(lambda: not living(family), "everything had ended")
    assert warm.checked().submissions[0].earned == 2
    assert warm.keeper() != family[0]


@pytest.mark.slow
def test_killed_in_the_middle_of_a_check_it_is_replaced_by_a_check_without_it(
    warm: Warm, kit: Kit
) -> None:
    slow = RIGHT.replace(
        "    session", '    session.execute(text("SELECT pg_sleep(2)"))\n    session'
    )
    answer_own(warm.course, slow)
    warm.checked()
    family = warm.family()
    command = kit.command("check")
    environment = kit.environment | {"KIT_HOME": str(warm.home), "KIT_WARM": "5"}
    with subprocess.Popen(
        command, cwd=warm.course, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        wait_until(lambda: (client.status(warm.home) or {}).get("busy"), "a check had begun")
        family[0].kill()
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert "2 of 2 points" in out
    wait_until(lambda: not living(family), "everything had ended")


@pytest.mark.slow
def test_ctrl_c_breaks_off_the_check_and_nothing_else(warm: Warm, kit: Kit) -> None:
    environment = kit.environment | {"KIT_HOME": str(warm.home), "KIT_WARM": "5"}
    answer_own(warm.course, RIGHT)
    warm.checked(sandbox="auto", seed=None)
    answer_own(warm.course, ENDLESS)
    keeper = warm.keeper()
    with subprocess.Popen(
        kit.command("check"),
        cwd=warm.course,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        wait_until(lambda: sleeping(keeper), "a statement of the student's ran")
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (130, "")
    assert err.endswith("Stopped.\n")
    wait_until(lambda: not sleeping(keeper), "the statement had ended")
    wait_until(lambda: not (client.status(warm.home) or {"busy": 1})["busy"], "it was idle")
    answer_own(warm.course, RIGHT)
    assert warm.checked(seed=None).submissions[0].earned == 2
    assert warm.keeper() == keeper


def sleeping(keeper: psutil.Process) -> bool:
    """Whether a student's endless statement runs on the checker's server."""
    titles = []
    for process in keeper.children(recursive=True):
        try:
            titles.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return any(title.startswith("postgres: kit_r") and "SELECT" in title for title in titles)


@pytest.mark.slow
def test_two_checks_at_once_each_find_their_own(warm: Warm, tmp_path: Path) -> None:
    answer_own(warm.course, RIGHT)
    other = Warm(warm.home, shutil.copytree(warm.course, tmp_path / "other"))
    answer_own(other.course, WRONG)
    warm.checked()
    with ThreadPoolExecutor(4) as executor:
        asked = [executor.submit(each.checked, seed=None) for each in (warm, other) * 2]
        earned = [one.result().submissions[0].earned for one in asked]
    assert earned == [2, 1, 2, 1]


@pytest.mark.slow
def test_two_that_find_no_checker_start_one(warm: Warm) -> None:
    answer_own(warm.course, RIGHT)
    with ThreadPoolExecutor(2) as executor:
        both = list(executor.map(lambda _: warm.checked(), range(2)))
    assert [grading.submissions[0].earned for grading in both] == [2, 2]


def is_postmaster(process: psutil.Process) -> bool:
    try:
        return "postgres" in process.name() and "-D" in process.cmdline()
    except psutil.Error:  # one of its children, which has just ended
        return False


@pytest.mark.slow
def test_a_server_that_died_costs_nobody_a_point(warm: Warm, kit: Kit) -> None:
    answer_own(warm.course, RIGHT)
    warm.checked()
    (postmaster,) = filter(is_postmaster, warm.family())
    postmaster.kill()
    ended = kit("check", cwd=warm.course, KIT_HOME=str(warm.home), KIT_WARM="5")
    assert ended.code == 0
    assert "2 of 2 points" in ended.out


@pytest.mark.slow
def test_it_ends_when_nobody_asks(warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_WARM", "0.05")
    warm.checked()
    family = warm.family()
    wait_until(lambda: not living(family), "it had ended")
    assert not (warm.home / "standby" / "socket").exists()
    assert client.status(warm.home) is None


@pytest.mark.slow
def test_it_does_not_end_while_somebody_stays(warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_WARM", "0.001")
    monkeypatch.setattr(place, "_SETTINGS", ())
    warm.checked()
    with client.stay(warm.home):
        keeper = warm.keeper()
        ended = threading.Event()
        assert not ended.wait(6)  # longer than it takes it to look around
        assert warm.keeper() == keeper
    wait_until(lambda: not living([keeper]), "it had ended")


def test_it_ends_when_its_home_is_gone(warm: Warm) -> None:
    warm.checked()
    family = warm.family()
    shutil.rmtree(warm.home / "standby")
    wait_until(lambda: not living(family), "it had ended")


@pytest.mark.parametrize("environment", [{"KIT_WARM": "0"}, {"CI": "true", "KIT_WARM": ""}])
def test_where_it_is_not_wanted_there_is_none(
    warm: Warm, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert warm.check() is None
    assert not (warm.home / "standby").exists()


def test_a_folder_that_others_may_enter_is_not_used(warm: Warm) -> None:
    folder = warm.home / "standby"
    folder.mkdir()
    folder.chmod(0o755)
    assert warm.check() is None
    assert list(folder.iterdir()) == []


def test_a_link_in_the_folders_place_is_not_followed(warm: Warm, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (warm.home / "standby").symlink_to(tmp_path)
    assert warm.check() is None
    assert not (tmp_path / "socket").exists()


def test_another_user_is_refused_on_either_side(
    warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = socket.socketpair()
    with one, other:
        place.refuse_others(one)
        monkeypatch.setattr(os, "geteuid", lambda: 4711)
        with pytest.raises(PermissionError, match="another user"):
            place.refuse_others(one)


def test_where_it_cannot_be_had_the_check_is_done_without(warm: Warm, kit: Kit) -> None:
    answer_own(warm.course, RIGHT)
    (warm.home / "standby").write_text("in the way", encoding="utf-8")
    ended = kit("check", cwd=warm.course, KIT_HOME=str(warm.home), KIT_WARM="5")
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.slow
def test_a_checker_that_hangs_is_not_waited_for(
    warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm.checked()
    keeper = warm.keeper()
    keeper.suspend()
    try:
        monkeypatch.setattr(client, "_HEARD_SECONDS", 0.2)
        monkeypatch.setattr(client, "_SHORT_SECONDS", 0.2)
        assert warm.check() is None
        assert client.status(warm.home) is None
    finally:
        keeper.resume()


def test_nonsense_on_the_socket_does_it_no_harm(warm: Warm) -> None:
    answer_own(warm.course, RIGHT)
    warm.checked()
    keeper = warm.keeper()
    for nonsense in (b"", b"\n", b"[]\n", b'{"op": "check"}\n', b"\xff" * 100_000 + b"\n"):
        connection = place.connect(place.folder(warm.home))
        assert connection is not None
        with connection:
            connection.sendall(nonsense)
    assert warm.checked().submissions[0].earned == 2
    assert warm.keeper() == keeper


@pytest.mark.slow
def test_status_doctor_and_down_know_it(warm: Warm, kit: Kit) -> None:
    warm.checked()
    keeper = warm.keeper()

    def db(*words: str) -> Ended:
        return kit("db", *words, KIT_HOME=str(warm.home))

    looked = json.loads(db("status", "--json").out)
    assert looked["checker"]["pid"] == keeper.pid
    assert f"ready for your next kit check, process {keeper.pid}" in db("status").out
    family = warm.family()
    assert "has ended too" in db("down").out
    wait_until(lambda: not living(family), "it had ended")
    assert db("down").out == "The server was not up.\n"
    assert json.loads(db("status", "--json").out)["checker"] is None


@pytest.mark.slow
def test_the_doctor_lets_it_live(warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIT_HOME", str(warm.home))
    warm.checked()
    keeper = warm.keeper()
    assert f"(process {keeper.pid})" in doctor.look_at_servers().found
    assert warm.checked() is not None
    assert warm.keeper() == keeper


def test_a_socket_that_came_later_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with place.listen(tmp_path):
        first = place.identity(tmp_path)
    with place.listen(tmp_path):  # its number may be the same
        second = place.identity(tmp_path)
        assert second != first
        place.remove(tmp_path, first)
        assert place.identity(tmp_path) == second
        place.remove(tmp_path, None)
        assert place.identity(tmp_path) == second
        place.remove(tmp_path, second)
        assert place.identity(tmp_path) is None
