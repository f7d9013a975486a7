"""Names of pages: safe everywhere, different for different students, the same in every class."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.reports.names import page_names

from .strategies import texts

_students = st.one_of(
    texts(surrogates=True),
    st.sampled_from(["ada", "Ada", "ADA", "a/b", "a\\b", "a:b", "A-b", "straße", "STRASSE"]),
    st.text("aA.-~/ \u00e9e\u0301\u212a", max_size=4),
)
_classes = st.lists(_students, unique=True, max_size=8)


def seen_by_a_careless_file_system(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


@given(_classes)
def test_no_two_students_share_a_page_on_any_file_system(students: list[str]) -> None:
    names = page_names(students)
    assert set(names) == set(students)
    assert len({seen_by_a_careless_file_system(name) for name in names.values()}) == len(names)


@given(_students)
def test_every_name_is_one_plain_file_name_everywhere(student: str) -> None:
    file = f"{page_names([student])[student]}.html"
    assert PurePosixPath(file).name == PureWindowsPath(file).name == file
    assert not PureWindowsPath(file).is_reserved()
    assert not file.startswith((".", "-", " "))
    assert not set(file) & set('<>:"/\\|?*%#')
    assert file.isprintable()
    assert len(file.encode("utf-8")) <= 255


@given(_classes, _students)
def test_who_else_is_in_the_class_changes_no_name_but_for_its_case(
    students: list[str], student: str
) -> None:
    same = seen_by_a_careless_file_system(student)
    others = [s for s in students if seen_by_a_careless_file_system(s) != same]
    assert page_names([*others, student])[student] == page_names([student])[student]


@pytest.mark.parametrize(
    "student", ["ada", "Ada Lovelace", "ada@example.org", "o'hara, pat", "Ольга", "學生", "a.b_c-1"]
)
def test_an_ordinary_name_is_kept(student: str) -> None:
    assert page_names([student]) == {student: student}


def test_names_that_differ_in_case_leave_the_lower_case_one_as_it_is() -> None:
    names = page_names(["ada", "Ada"])
    assert names["ada"] == "ada"
    assert names["Ada"].startswith("Ada~")


def test_a_safe_name_cannot_imitate_the_page_of_an_unsafe_one() -> None:
    page = page_names(["../ada"])["../ada"]
    assert page_names(["../ada", page])[page] != page


@pytest.mark.parametrize("student", ["con", "NUL", "com1.x", "lpt¹", "aux .y", "CONIN$"])
def test_a_device_of_windows_gets_another_name(student: str) -> None:
    assert page_names([student])[student].startswith(("_", "CONIN-"))
