"""Runs a plan with pytest, in this process or in several, and gathers what its checks found."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from grader.errors import JudgeError
from grader.folders import temporary_folder
from grader.gathered import Gathered
from grader.lanes import Lanes
from grader.plan import Plan
from grader.plugin import PROPERTY, SECONDS
from grader.results import check_from_json

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
        properties: Mapping[str, Any] = dict(report.user_properties)
        if report.when == "call" and PROPERTY in properties:
            result = check_from_json(json.loads(properties[PROPERTY]))
            self._gathered.add(key, result, properties[SECONDS])
        elif report.skipped:  # a check before it failed, and that was to be enough
            self._gathered.spare()
        elif report.failed:
            self._gathered.problems[key] = _why(report)


def run(plan: Plan, jobs: int, gathered: Gathered, lanes: Lanes | None) -> None:
    """Run a plan's checks.

    Args:
        jobs: processes.
        gathered: gets what they find.
        lanes: run the checks, where that is not for several processes.

    Raises:
        JudgeError: nothing could be graded.
    """
    with temporary_folder() as folder:
        arguments = [str(plan.write(folder))]
        if jobs > 1:
            arguments += ["-p", "xdist.plugin", "-p", "grader.spread", "-n", str(jobs)]
            arguments += ["--dist", "loadscope"]
        reports = Reports(gathered)
        code = _run_pytest(folder, arguments, [reports, lanes] if lanes else [reports])
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
