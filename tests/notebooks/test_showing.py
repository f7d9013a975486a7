"""Badges, tables, verdicts: the same content as HTML and as text."""

import re

import pytest
from sqlalchemy import create_engine

from kit.notebook import Shown, capability_table, claim, health_badge, table, verdict
from kit.notebook.cards import EXTENSIONS
from pglab.servers import open_server
from tracker.health import Health, Status


def words(html):
    """The visible words of HTML."""
    without_style = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return (
        re.sub(r"<[^>]+>", " ", without_style).replace("&quot;", '"').replace("&amp;", "&").split()
    )


def letters(text):
    return re.sub(r"[^\w]", "", text)


def same_content(shown: Shown) -> bool:
    return letters("".join(words(shown.html))) == letters(shown.text)


@pytest.mark.parametrize(
    "shown",
    [
        table([("a", 1), ("b & c", None), ("d", True)], ("Name", "Value"), "Some values"),
        table([], ("Name", "Value")),
        claim("It holds", false_if="it does not."),
        verdict('"Refused" means wrong', holds=False, because="It does not."),
        verdict("It holds", holds=True, because="It did."),
        health_badge(Health(Status.ERROR, "No answer.")),
        health_badge(None),
    ],
    ids=["table", "empty table", "claim", "disproved", "held", "error", "disabled"],
)
def test_text_says_what_the_html_says(shown):
    assert same_content(shown)


def test_both_forms_go_to_the_front_end():
    assert set(verdict("x", holds=True, because="y")._repr_mimebundle_()) == {
        "text/plain", "text/html",
    }  # fmt: skip


def test_a_table_names_its_rows_and_columns_for_screen_readers():
    html = table([("a", 1)], ("Name", "Value"), "Caption").html
    assert '<th scope="col">Name</th>' in html
    assert '<th scope="row">a</th>' in html
    assert "<caption>Caption</caption>" in html


def test_values_are_escaped():
    html = table([("<b>", "<script>")], ("<i>", "&"), "<u>").html
    assert "<script>" not in html
    assert "&lt;b&gt;" in html
    assert "&lt;i&gt;" in html
    assert "&lt;u&gt;" in html


def test_a_verdict_is_told_in_a_word_and_a_mark_and_not_only_in_color():
    assert "✗ Disproved." in verdict("x", holds=False, because="y").text
    assert "✓ Held up." in verdict("x", holds=True, because="y").text


def test_a_row_that_is_too_short_is_an_error():
    with pytest.raises(ValueError, match="1 values, and there are 2 columns"):
        table([("a",)], ("Name", "Value"))


def test_the_badge_of_ones_own_engine_says_connected(notebook):
    shown = notebook.run("health_badge()").result
    assert re.fullmatch(r"✓ connected: PostgreSQL [\d.]+ answers\. \(\d+\.\d ms\)", shown.text)


def test_the_badge_of_an_unreachable_database_says_error_and_why():
    shown = health_badge(create_engine("postgresql+psycopg://ada:secret@127.0.0.1:1/x"))
    assert shown.text.startswith("✗ error: ")
    assert "Connection refused" in shown.text
    assert "secret" not in shown.html


def test_the_table_of_capabilities_is_that_of_the_server(learner):
    of = open_server("embedded", home=learner, disposable=False)
    can = of.capabilities()
    shown = capability_table(of)
    assert f"PostgreSQL {of.version}" in shown.text
    for name, purpose in EXTENSIONS.items():
        line = next(one for one in shown.text.splitlines() if f"Extension {name} " in one)
        assert line.endswith(purpose)
        assert (" yes " in line) == (name in can.extensions)
    assert same_content(shown)
