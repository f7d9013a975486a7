"""``junit.xml``: what continuous integration servers show, in the form that pytest calls xunit2.

A test suite is a submission, because a submission is what people look for, regrade and leave out;
``classname`` is the student and the exercise, so that servers which merge suites by class keep
students apart. Points stand in the suite's properties (the format allows none in a test case) as
``earned/points``. Times are in ``time`` and ``timestamp`` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from grader.reports.files import write_whole
from grader.reports.plain import described
from grader.reports.text import first_sentence, legible, number, one_line
from grader.results import (
    CheckResult,
    ExerciseResult,
    Failure,
    Grading,
    Outcome,
    Reason,
    SubmissionResult,
)

NAME = "junit.xml"
_OUTPUT = 4000
_FALLBACK = Failure(Reason.KIT, "No reason was recorded.")


def write(grading: Grading, out: Path) -> list[Path]:
    """Write the file; see `grader.reports.write_reports`."""
    return [write_whole(out / NAME, encoded(grading))]


def encoded(grading: Grading) -> Iterator[bytes]:
    """The file's bytes, suite by suite."""
    course = ET.Element("testsuites", name=one_line(grading.course))
    opening = ET.tostring(course, encoding="unicode", short_empty_elements=False)
    yield b'<?xml version="1.0" encoding="utf-8"?>\n'
    yield opening.removesuffix("</testsuites>").encode() + b"\n"
    maximum = grading.maximum
    for submission in grading.submissions:
        suite = _suite(submission, grading, maximum)
        ET.indent(suite)
        yield ET.tostring(suite, encoding="utf-8", xml_declaration=False) + b"\n"
    yield b"</testsuites>\n"


def _suite(
    submission: SubmissionResult, grading: Grading, maximum: Mapping[str, float]
) -> ET.Element:
    # The older schema wants a host; "localhost" is what it prescribes where none should be told.
    suite = ET.Element("testsuite", name=one_line(submission.student), hostname="localhost")
    suite.append(_properties(submission, grading, maximum))
    cases = list(_cases(submission, grading))
    suite.extend(cases)
    for name, tag in (("errors", "error"), ("failures", "failure"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("tests", str(len(cases)))
    seconds = grading.seconds(submission.student)
    if seconds is None:
        seconds = sum(float(case.get("time", 0)) for case in cases)
    suite.set("time", f"{seconds:.3f}")
    if started := _started(grading):
        suite.set("timestamp", started)
    return suite


def _properties(
    submission: SubmissionResult, grading: Grading, maximum: Mapping[str, float]
) -> ET.Element:
    evidence = grading.evidence
    values = {
        "points": f"{number(submission.earned)}/{number(sum(maximum.values()))}",
        "sha256": submission.sha256,
        "kit_version": evidence.kit_version,
        "seed": str(evidence.seed),
        "sandbox": evidence.sandbox,
        "server": f"{evidence.server} {evidence.server_version}",
    }
    for exercise in submission.exercises:
        worth = maximum[exercise.exercise]
        values[f"points.{exercise.exercise}"] = f"{number(exercise.earned)}/{number(worth)}"
        for check in exercise.checks:
            key = f"points.{exercise.exercise}.{check.name}"
            values[key] = f"{number(check.earned)}/{number(check.points)}"
    properties = ET.Element("properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=one_line(name), value=one_line(value))
    return properties


def _cases(submission: SubmissionResult, grading: Grading) -> Iterator[ET.Element]:
    student = one_line(submission.student)
    if submission.problem:
        case = ET.Element("testcase", classname=student, name="the submission can be read")
        message = first_sentence(submission.problem)
        failure = ET.SubElement(case, "failure", message=message, type="unreadable")
        failure.text = legible(submission.problem)
        yield case
    for exercise in submission.exercises:
        classname = f"{student}.{one_line(exercise.exercise)}"
        if not exercise.handed_in:
            yield _absent(classname, exercise)
            continue
        for check in exercise.checks:
            case = _case(classname, check, grading)
            seconds = grading.seconds(submission.student, exercise.exercise, check.name)
            if seconds is not None:
                case.set("time", f"{seconds:.3f}")
            yield case


def _absent(classname: str, exercise: ExerciseResult) -> ET.Element:
    case = ET.Element("testcase", classname=classname, name=one_line(exercise.exercise))
    ET.SubElement(case, "skipped", message="not handed in")
    return case


def _case(classname: str, check: CheckResult, grading: Grading) -> ET.Element:
    case = ET.Element("testcase", classname=classname, name=one_line(check.name))
    if check.outcome is Outcome.PASSED:
        return case
    reason = check.failure or _FALLBACK
    tag = "error" if check.outcome is Outcome.ERROR else "failure"
    said = ET.SubElement(case, tag, message=first_sentence(reason.message), type=str(reason.reason))
    said.text = described(check, grading)
    if check.output:
        ET.SubElement(case, "system-out").text = legible(check.output, _OUTPUT)
    return case


def _started(grading: Grading) -> str:
    """When grading began, to the second and without a zone, as the schema wants it."""
    try:
        started = datetime.fromisoformat(str(grading.timings.get("started", "")))
    except ValueError:
        return ""
    return started.replace(tzinfo=None).isoformat(timespec="seconds")
