"""Whose word a refusal is."""

from __future__ import annotations

from grader.checks.refusals import _from_code

CASCADE = 'SQL statement "DELETE FROM ONLY "public"."orders" WHERE $1 = "user_id""'
FUNCTION = "PL/pgSQL function guard() line 2 at EXECUTE"


def test_what_a_foreign_key_did_is_told_from_what_a_function_did() -> None:
    assert not _from_code(None)
    assert not _from_code(CASCADE)
    assert not _from_code(f"{CASCADE}\n{CASCADE}")
    assert _from_code(f"{CASCADE}\n{FUNCTION}")
    assert _from_code(FUNCTION)


def test_a_function_cannot_make_that_a_question_without_an_end() -> None:
    assert _from_code('SQL statement "DELETE FROM ONLY x' * 60 + f'"\n{FUNCTION}')
