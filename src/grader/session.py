"""Runs checks with pytest, in this process or in several, and gathers what they find."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from grader.errors import JudgeError
from grader.folders import temporary_folder
from grader.gathered import Gathered, Judged
from grader.lanes import Lanes
from grader.plan import Plan
from grader.plugin import ToldCheck

_GRADED = (
    pytest.ExitCode.OK,
    pytest.ExitCode.TESTS_FAILED,
    pytest.ExitCode.NO_TESTS_COLLECTED,
)


class Reports:
    """A plugin of pytest that hands over what every process of it reports."""

    def __init__(self, gathered: Gathered) -> None:
        self.fault = ""
        """Why nothing could be graded at all."""
        self.interrupted = False
        self._gathered = gathered

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.fault = self.fault or _why(report)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        # pytest also calls it an interrupt where it has nothing to run.
        self.interrupted = not isinstance(excinfo.value, pytest.Session.Interrupted)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        number, exercise, name = report.nodeid.rsplit("::", 3)[1:]
        key = (int(number), exercise, name)
        judged: Judged | None = getattr(report, "judged", None)
        if judged is not None:
            self._gathered.add(key, judged)
        elif report.skipped:  # a check before it failed, and that was to be enough
            self._gathered.spare()
        elif report.failed:
            self._gathered.problems[key] = _why(report)


class Loop:
    """A plugin of pytest that reports every check as soon as lanes tell of it."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for key, found in self._lanes:
            item = ToldCheck.of(session, key, found)
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return True


def run_lanes(lanes: Lanes, gathered: Gathered) -> None:
    """Report the checks that lanes run in this process.

    Args:
        gathered: gets what they find.

    Raises:
        JudgeError: nothing could be graded.
    """
    with temporary_folder() as folder:
        _run(folder, [str(folder)], gathered, [Loop(lanes)])


def run_plan(plan: Plan, jobs: int, gathered: Gathered) -> None:
    """Run a plan's checks in several processes.

    Args:
        jobs: how many.
        gathered: gets what they find.

    Raises:
        JudgeError: nothing could be graded.
    """
    with temporary_folder() as folder:
        arguments = [str(plan.write(folder)), "-p", "xdist.plugin", "-p", "grader.spread"]
        _run(folder, [*arguments, "-n", str(jobs), "--dist", "loadscope"], gathered, [])


def _run(
    folder: Path, arguments: Sequence[str], gathered: Gathered, plugins: Sequence[object]
) -> None:
    reports = Reports(gathered)
    code = _run_pytest(folder, arguments, [reports, *plugins])
    if reports.interrupted:
        raise KeyboardInterrupt
    if reports.fault or code not in _GRADED:
        fault = reports.fault or f"pytest ended with code {int(code)}."
        raise JudgeError(f"Nothing could be graded. {fault}")
    if not gathered.judged and gathered.problems:
        raise JudgeError(f"Nothing could be graded. {next(iter(gathered.problems.values()))}")


def warm_up() -> None:
    """Run pytest on nothing: what it imports at its first run is there for the next one."""
    with temporary_folder() as folder:
        _run_pytest(folder, [str(folder)], [])


def _run_pytest(folder: Path, arguments: Sequence[str], plugins: Sequence[object]) -> int:
    """Run pytest with the plugin of the grader and without all that it does not need."""
    whole = [*arguments, "--rootdir", str(folder), "-c", os.devnull, "--noconftest"]
    # Without a limit it makes nodes of all that lies beside the folder.
    whole += ["--confcutdir", str(folder), "--basetemp", str(folder / "temporary")]
    for plugin in (
        "no:terminal",
        "no:cacheprovider",
        "no:capture",
        "no:logging",
        "no:unraisableexception",  # collects garbage at the end, while a learner waits
        "grader.plugin",
    ):
        whole += ["-p", plugin]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
            patch.delenv(name, raising=False)
        return pytest.main(whole, plugins=plugins)


def _why(report: pytest.CollectReport | pytest.TestReport) -> str:
    """Why pytest calls it failed, in one line: the exception where it knows one."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash else report.longrepr).strip()
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return text
    return lines[0] if crash else lines[-1]
