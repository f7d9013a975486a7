"""What was signed is known again, and whatever was changed is named."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import ReportInputError, SigningError
from grader.reports import write_reports
from grader.results import Grading
from grader.signing.contents import canonical
from grader.signing.keys import (
    fingerprint,
    make_keys,
    public_path,
    read_private_key,
    read_public_key,
)
from grader.signing.signature import Verdict, sign, verify
from tests.grader.reports.demo import demo_class
from tests.grader.reports.strategies import gradings

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
SLOWLY = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
Edit = Callable[[Any], object]


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """The reports of a class, signed."""
    write_reports(demo_class(), tmp_path)
    sign(tmp_path, KEY)
    return tmp_path


def verdict(folder: Path) -> Verdict:
    return verify(folder, KEY.public_key())


def edit(folder: Path, change: Edit, name: str = "results.json") -> None:
    """Change what a JSON file says."""
    plain = json.loads((folder / name).read_bytes())
    change(plain)
    (folder / name).write_text(json.dumps(plain), encoding="utf-8")


def test_what_was_signed_is_as_it_was(signed: Path) -> None:
    found = verdict(signed)
    students = len(demo_class().submissions)
    assert (found.problems, found.unsigned, found.submissions) == ((), (), students)
    assert found.files == 3 + students  # gradebook.csv, junit.xml, report.html, and the pages
    assert found.key == fingerprint(KEY.public_key())


@given(graded=gradings())
@SLOWLY
def test_whatever_was_found_can_be_signed(graded: Grading, tmp_path: Path) -> None:
    write_reports(graded, tmp_path, ["json", "csv"])
    sign(tmp_path, KEY)
    assert verdict(tmp_path).problems == ()


def test_the_same_in_another_layout_is_the_same(signed: Path) -> None:
    edit(signed, lambda plain: plain["submissions"].sort(key=lambda s: s["student"], reverse=True))
    assert verdict(signed).problems == ()


def first(plain: Any) -> Any:
    """The first submission with an exercise that has checks."""
    return plain["submissions"][0]


STUDENT = demo_class().submissions[0].student
EXERCISE = demo_class().submissions[0].exercises[0].exercise


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda p: first(p)["exercises"][0]["checks"][0].update(earned=99),
            [f"results.json: {STUDENT}: {EXERCISE}: changed"],
        ),
        (lambda p: first(p).update(earned=99), [f"results.json: {STUDENT}: changed"]),
        (
            lambda p: first(p)["exercises"].pop(0),
            [f"results.json: {STUDENT}: {EXERCISE}: missing"],
        ),
        (lambda p: p["submissions"].pop(0), [f"results.json: {STUDENT}: missing"]),
        (
            lambda p: p["submissions"].append({**first(p), "student": "mallory"}),
            ["results.json: mallory: added"],
        ),
        (
            lambda p: first(p).update(student="mallory"),
            [f"results.json: {STUDENT}: missing", "results.json: mallory: added"],
        ),
        (lambda p: p["evidence"].update(seed=99), ["results.json: evidence: changed"]),
        (lambda p: p.update(note="x"), ["results.json: note: added"]),
        (lambda p: p.pop("timings"), ["results.json: timings: missing"]),
    ],
)
def test_what_was_changed_in_the_results_is_named(
    signed: Path, change: Edit, told: list[str]
) -> None:
    edit(signed, change)
    assert list(verdict(signed).problems) == told


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where a JSON value has parts that are no objects and no lists."""
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        return [found for key, one in inner for found in places(one, (*path, key))]
    return [path]


@given(data=st.data())
@SLOWLY
@pytest.mark.slow
def test_no_value_can_be_changed_unseen(signed: Path, data: st.DataObject) -> None:
    before = (signed / "results.json").read_bytes()
    path = data.draw(st.sampled_from(places(json.loads(before))))

    def change(plain: Any) -> None:
        for key in path[:-1]:
            plain = plain[key]
        plain[path[-1]] = "forged" if plain[path[-1]] != "forged" else "other"

    edit(signed, change)
    found = verdict(signed)
    (signed / "results.json").write_bytes(before)
    assert found.problems
    assert verdict(signed).problems == ()


def test_what_was_changed_among_the_reports_is_named(signed: Path) -> None:
    with (signed / "gradebook.csv").open("a") as file:
        file.write("mallory,5\n")
    (signed / "report.html").unlink()
    [page, *_] = sorted((signed / "students").iterdir())
    page.write_text("full marks")
    (signed / "canvas.csv").write_text("x")
    found = verdict(signed)
    assert sorted(found.problems) == sorted(
        ["gradebook.csv: changed", "report.html: missing", f"students/{page.name}: changed"]
    )
    assert found.unsigned == ("canvas.csv",)


def test_a_name_that_stands_twice_is_no_way_around_it(signed: Path) -> None:
    """Programs differ on which of two counts."""
    text = (signed / "results.json").read_text(encoding="utf-8")
    twice = text.replace('"earned": ', '"earned": 99, "earned": ', 1)
    (signed / "results.json").write_text(twice, encoding="utf-8")
    [problem] = verdict(signed).problems
    assert "the name 'earned' stands twice" in problem


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["signed"]["heading"].update(evidence="0" * 64),
        lambda d: d["signed"]["submissions"].pop(STUDENT),
        lambda d: d.update(signature=d["signature"][:-4] + "AAA="),
        lambda d: d.update(signature=""),
    ],
)
def test_a_signature_that_was_changed_does_not_fit(signed: Path, change: Edit) -> None:
    edit(signed, change, "signature.json")
    assert list(verdict(signed).problems) == [
        "signature.json was changed: its signature does not fit"
    ]


def test_who_signs_with_another_key_is_somebody_else(signed: Path) -> None:
    sign(signed, OTHER)
    [problem] = verdict(signed).problems
    assert problem.startswith("It was signed with another key: ")
    edit(signed, lambda d: d.update(key=fingerprint(KEY.public_key())), "signature.json")
    [problem] = verdict(signed).problems
    assert "its signature does not fit" in problem


def test_a_signature_made_for_something_else_does_not_fit(signed: Path) -> None:
    import base64

    def reuse(document: Any) -> None:
        bare = KEY.sign(canonical(document["signed"]))
        document["signature"] = base64.b64encode(bare).decode()

    edit(signed, reuse, "signature.json")
    assert verdict(signed).problems


@pytest.mark.parametrize("content", ["", "[]", "{}", "not JSON", '{"signed": {}, "key": "x"}'])
def test_a_damaged_signature_is_an_error_and_says_so(signed: Path, content: str) -> None:
    (signed / "signature.json").write_text(content)
    with pytest.raises(SigningError, match="is damaged"):
        verdict(signed)


def test_results_that_are_not_there_or_not_signed_are_errors(signed: Path, tmp_path: Path) -> None:
    (signed / "results.json").write_text("{")
    [problem] = verdict(signed).problems
    assert "is damaged" in problem
    (signed / "signature.json").unlink()
    with pytest.raises(SigningError, match="is not signed"):
        verdict(signed)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReportInputError, match=r"There is no results\.json"):
        sign(tmp_path / "empty", KEY)


def test_a_pair_of_keys_belongs_together_and_only_its_owner_reads_the_private_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "grading.key"
    public = make_keys(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert fingerprint(read_private_key(path).public_key()) == fingerprint(public)
    for file in (path, public_path(path)):
        assert fingerprint(read_public_key(file)) == fingerprint(public)
    before = path.read_bytes()
    with pytest.raises(SigningError, match="is there already"):
        make_keys(path)
    public_path(path).unlink()
    with pytest.raises(SigningError, match="is there already"):
        make_keys(path)
    assert path.read_bytes() == before
    assert not public_path(path).exists()


def test_keys_of_other_tools_do_as_well(tmp_path: Path) -> None:
    path = tmp_path / "key"
    encoding, none = serialization.Encoding.PEM, serialization.NoEncryption()
    path.write_bytes(KEY.private_bytes(encoding, serialization.PrivateFormat.OpenSSH, none))
    assert fingerprint(read_private_key(path).public_key()) == fingerprint(KEY.public_key())
    ssh = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    path.write_bytes(KEY.public_key().public_bytes(*ssh))
    assert fingerprint(read_public_key(path)) == fingerprint(KEY.public_key())


def private_bytes(key: Any, secret: Any = None) -> bytes:
    found: bytes = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        secret or serialization.NoEncryption(),
    )
    return found


def test_what_cannot_be_used_as_a_key_is_told(tmp_path: Path) -> None:
    path = tmp_path / "key"

    def told(content: bytes | None, read: Callable[[Path], object] = read_private_key) -> str:
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(SigningError) as caught:
            read(path)
        return str(caught.value)

    assert "There is no key" in told(None)
    assert "holds no key that can be read" in told(b"")
    assert "holds no key that can be read" in told(b"\xff\xfe")
    assert "holds no key that can be read" in told(b"hello", read_public_key)
    assert "much too large" in told(bytes(100_000))
    locked = private_bytes(KEY, serialization.BestAvailableEncryption(b"secret"))
    assert "protected by a passphrase" in told(locked)
    other = rsa.generate_private_key(65537, 2048)
    assert "another kind than Ed25519" in told(private_bytes(other))
    public = other.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert "another kind than Ed25519" in told(public, read_public_key)
    assert "is a public key, which can only verify" in told(public)
    (tmp_path / "folder").mkdir()
    with pytest.raises(SigningError, match="cannot be read"):
        read_private_key(tmp_path / "folder")


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    )
)
@settings(deadline=None)
def test_canonical_bytes_do_not_depend_on_how_a_value_was_written(value: Any) -> None:
    for indent in (None, 3):
        again = json.loads(json.dumps(value, indent=indent))
        assert canonical(again) == canonical(value)


def test_whole_numbers_have_one_form() -> None:
    assert canonical({"b": 1.0, "a": [2, 2.5]}) == b'{"a":[2,2.5],"b":1}'


def test_the_grader_needs_no_cryptography_unless_something_is_signed(
    run_python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = run_python(
        "import sys, kit.cli.grading, grader.batch, grader.signing; print(*sys.modules)"
    )
    assert done.returncode == 0, done.stderr
    assert not {"cryptography", "distributed", "dask"} & set(done.stdout.split())
