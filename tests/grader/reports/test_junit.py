"""``junit.xml``: the format that pytest calls xunit2, whatever a submission says."""

from __future__ import annotations

import dataclasses
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings

from grader.reports import junit
from grader.results import ExerciseResult, Grading, Outcome, SubmissionResult

from .demo import KIT, LOOP, RAISED, check, demo_class, grading
from .strategies import gradings

# The rules of xunit2 (the JUnit schema that Jenkins publishes and pytest follows): attributes by
# element, those that must be there, and children in their order.
ATTRIBUTES = {
    "testsuites": {"name"},
    "testsuite": {
        "name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname",
    },
    "properties": set(),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
    "system-out": set(),
}  # fmt: skip
REQUIRED = {
    "testsuites": {"name"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "hostname"},
    "property": {"name", "value"},
    "testcase": {"name", "classname"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "skipped": {"message"},
}
CHILDREN = {
    "testsuites": r"(testsuite )*",
    "testsuite": r"(properties )(testcase )*",
    "properties": r"(property )*",
    "testcase": r"((failure |error |skipped )(system-out )?)?",
}
SECONDS = re.compile(r"\d+\.\d{3}")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def written(grading: Grading) -> bytes:
    return b"".join(junit.encoded(grading))


def parsed(grading: Grading) -> ET.Element:
    return ET.fromstring(written(grading))


def assert_xunit2(suites: ET.Element) -> None:
    for element in suites.iter():
        names = set(element.attrib)
        assert names <= ATTRIBUTES[element.tag]
        assert names >= REQUIRED.get(element.tag, set())
        children = "".join(f"{child.tag} " for child in element)
        assert re.fullmatch(CHILDREN.get(element.tag, ""), children)
        assert SECONDS.fullmatch(element.get("time", "0.000"))
        assert TIMESTAMP.fullmatch(element.get("timestamp", "2026-01-01T00:00:00"))
    for suite in suites:
        for count, tag in {
            "tests": "testcase",
            "failures": "testcase/failure",
            "errors": "testcase/error",
            "skipped": "testcase/skipped",
        }.items():
            assert int(suite.attrib[count]) == len(suite.findall(tag))


@given(gradings(surrogates=True))
@settings(deadline=None, max_examples=30)
def test_every_grading_is_well_formed_and_meets_the_rules(grading: Grading) -> None:
    suites = parsed(grading)
    assert_xunit2(suites)
    assert len(suites) == len(grading.submissions)


def test_a_class_meets_the_rules() -> None:
    suites = parsed(demo_class())
    assert_xunit2(suites)
    assert len({(c.get("classname"), c.get("name")) for c in suites.iter("testcase")}) == len(
        list(suites.iter("testcase"))
    )


def test_a_failure_says_what_and_why() -> None:
    case = parsed(grading(check(Outcome.FAILED, RAISED, title="Two are refused"))).find(
        ".//testcase"
    )
    assert case is not None
    failure = case.find("failure")
    assert failure is not None
    assert (case.get("classname"), case.get("name")) == ("ada.04_repository", "test_it")
    assert failure.get("type") == "raised"
    assert (failure.get("message") or "").startswith("sqlalchemy.exc.IntegrityError")
    for said in ("Two are refused", "Expected: DuplicateUser", "23505 UniqueViolation", "line 18"):
        assert said in (failure.text or "")


def test_statements_that_repeat_are_told_once() -> None:
    failure = parsed(grading(check(Outcome.FAILED, LOOP))).find(".//failure")
    assert failure is not None
    assert (failure.text or "").count("FROM lessons") == 1
    assert "× 24" in (failure.text or "")
    assert "25 of 101" in (failure.text or "")


def test_a_fault_of_the_kit_is_an_error_and_no_failure() -> None:
    suite = parsed(grading(check(Outcome.ERROR, KIT)))[0]
    assert (suite.get("errors"), suite.get("failures")) == ("1", "0")
    error = suite.find("testcase/error")
    assert error is not None
    assert error.get("type") == "kit"


def test_points_stand_in_properties() -> None:
    graded = grading(
        check(Outcome.PASSED, points=1.5, name="test_a"),
        check(Outcome.FAILED, LOOP, points=2, name="test_b"),
    )
    properties = {p.get("name"): p.get("value") for p in parsed(graded).iter("property")}
    assert properties["points"] == properties["points.04_repository"] == "1.5/3.5"
    assert properties["points.04_repository.test_a"] == "1.5/1.5"
    assert properties["points.04_repository.test_b"] == "0/2"
    assert properties["seed"] == "7"


def test_what_was_not_handed_in_is_skipped_and_what_cannot_be_read_fails() -> None:
    absent = ExerciseResult("04_repository", "A repository", (), handed_in=False)
    bob = SubmissionResult("bob", (absent,))
    eve = SubmissionResult("eve", (), problem="eve.zip is no ZIP archive.")
    suites = parsed(dataclasses.replace(grading(), submissions=(bob, eve)))
    assert [(s.get("skipped"), s.get("failures")) for s in suites] == [("1", "0"), ("0", "1")]


@pytest.mark.parametrize("timings", [{}, {"started": "2030-01-01T01:01:01+00:00"}])
def test_times_are_in_time_attributes_alone(timings: dict[str, str]) -> None:
    def timeless(content: bytes) -> bytes:
        return re.sub(rb' (time|timestamp)="[^"]*"', b"", content)

    timed = demo_class()
    other = dataclasses.replace(timed, timings=timings)
    assert written(timed) != written(other)
    assert timeless(written(timed)) == timeless(written(other))


def test_one_submission_less_changes_no_other_suite() -> None:
    whole = demo_class()
    less = dataclasses.replace(whole, submissions=whole.submissions[1:])
    suites = written(whole).split(b"<testsuite ")
    assert written(less).split(b"<testsuite ") == suites[:1] + suites[2:]
