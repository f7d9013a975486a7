"""A zygote practises serving where FastAPI is, and stays what can be forked."""

from __future__ import annotations

import threading

import pytest

from grader.worker import zygote
from grader.worker.serving import practice


def test_practising_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    practice.practise()
    assert set(threading.enumerate()) <= before


def test_what_goes_wrong_is_printed_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def practise() -> None:
        raise RuntimeError("another version of it")

    monkeypatch.setattr(practice, "practise", practise)
    zygote._practise_serving()
    assert "another version of it" in capsys.readouterr().err
