"""Predict, run, compare; and how well a learner knows what they know."""

import re

import pytest

from kit import journal
from kit.journal import Journal
from kit.notebook import NotebookError, predictions
from kit.notebook.questions import UnclearPrediction, number_of, read_question

CHOICE = "How many?\nA. one\nB. as many as tracks\nanswer: {}\nsure: {}\n"
NUMBER = "How many rows?\nanswer: {}\nsure: {}\n"


@pytest.fixture(autouse=True)
def _nothing_known(learner):
    Journal(learner).path.unlink(missing_ok=True)
    predictions.forget()
    yield
    predictions.forget()
    Journal(learner).path.unlink(missing_ok=True)


def lines(learner):
    """What the journal knows of predictions."""
    events = Journal(learner).of(journal.Prediction)
    return [(e.question, e.kind, e.answer, e.confidence, e.is_correct) for e in events]


def ask(name, cell, answer="?", sure="?", kind=""):
    return predictions.predict(f"{name} {kind}", cell.format(answer, sure)).text


def test_a_question_that_is_not_answered_yet_asks_for_an_answer():
    assert ask("05-many", CHOICE) == (
        "Predict first.\n"
        "Replace the question marks by your answer and by how sure you are, from 0 to 100."
    )
    assert "How sure are you?" in ask("05-many", CHOICE, "B")
    assert list(predictions._ledger) == []


@pytest.mark.parametrize("typed", ["B", "b", "B.", " B "])
def test_a_choice_is_taken_by_its_letter(typed):
    said = ask("05-many", CHOICE, typed, "80")
    assert said.startswith("You predict: B. as many as tracks (80 % sure).")


@pytest.mark.parametrize(("answer", "mark"), [("B", "✓ Right."), ("A", "✗ Not this time.")])
def test_a_choice_is_compared_with_what_happened(answer, mark):
    ask("05-many", CHOICE, answer, "80 %")
    shown = predictions.compare("05-many", "B", because="Each track asks again.")
    assert f"{mark} Each track asks again." in shown.text
    assert "What happened: B. as many as tracks." in shown.text
    assert f"<strong>{mark}</strong>" in shown.html
    assert [one.right for one in predictions._ledger] == [answer == "B"]


@pytest.mark.parametrize(
    ("answer", "within", "right"),
    [("6", None, True), ("6.0", None, True), ("7", None, False), ("7", 1, True), ("4", 1.5, False)],
)
def test_a_number_may_be_off_by_as_much_as_the_question_allows(answer, within, right):
    ask("05-rows", NUMBER, answer, "50", kind="number")
    shown = predictions.compare("05-rows", 6, within=within)
    assert ("✓ Right." in shown.text) == right
    assert "What happened: 6." in shown.text


def test_a_number_is_compared_with_all_its_digits():
    ask("05-rows", NUMBER, "1234567.125", "50", kind="number")
    assert "✓" in predictions.compare("05-rows", 1234567.125).text
    ask("05-more", NUMBER, "1234567.1", "50", kind="number")
    assert "✗" in predictions.compare("05-more", 1234567.125).text


def test_the_learner_judges_their_own_words():
    ask("05-why", NUMBER, "because of the lock", "40")
    shown = predictions.compare("05-why", "Bob waits for Alice's lock")
    assert "You predicted: because of the lock (40 % sure)." in shown.text
    assert "%predict 05-why --right, or --wrong" in shown.text
    assert list(predictions._ledger) == []
    assert "✓" in predictions.judge("05-why", right=True).text
    assert [one.right for one in predictions._ledger] == [True]


def test_words_cannot_be_judged_before_the_outcome_is_seen():
    ask("05-why", NUMBER, "because", "40")
    with pytest.raises(NotebookError, match="nothing to judge"):
        predictions.judge("05-why", right=True)
    with pytest.raises(NotebookError, match="nothing to judge"):
        predictions.judge("05-other", right=True)


def test_what_was_compared_is_not_judged_again():
    ask("05-many", CHOICE, "A", "40")
    predictions.compare("05-many", "B")
    with pytest.raises(NotebookError, match="no free text"):
        predictions.judge("05-many", right=True)


def test_without_a_prediction_the_outcome_is_shown_alone():
    ask("05-many", CHOICE)
    shown = predictions.compare("05-many", "B", because="Each track asks.")
    assert shown.text == "What happened: B. as many as tracks.\nEach track asks."


def test_who_has_seen_the_outcome_predicts_no_more():
    ask("05-many", CHOICE)
    predictions.compare("05-many", "B")
    assert "does not count" in ask("05-many", CHOICE, "B", "100")
    assert predictions._ledger.find("05-many") is None


def test_the_first_prediction_counts():
    ask("05-many", CHOICE, "A", "90")
    predictions.compare("05-many", "B")
    assert "You predicted: A. one (90 % sure)." in ask("05-many", CHOICE, "B", "100")
    assert "✗" in predictions.compare("05-many", "B").text
    assert [one.answer for one in predictions._ledger] == ["A"]


def test_an_answer_may_be_changed_until_the_outcome_is_seen():
    ask("05-many", CHOICE, "A", "90")
    ask("05-many", CHOICE, "B", "60")
    predictions.compare("05-many", "B")
    assert [(one.answer, one.sure) for one in predictions._ledger] == [("B", 60)]


def test_an_outcome_that_was_not_to_choose_from_is_an_error():
    ask("05-many", CHOICE)
    with pytest.raises(NotebookError, match="none of the answers"):
        predictions.compare("05-many", "C")


@pytest.mark.parametrize(
    ("line", "cell", "says"),
    [
        ("05-a", CHOICE.format("C", "1"), "one of: A, B"),
        ("05-a", CHOICE.format("A", "101"), "from 0 to 100"),
        ("05-a", CHOICE.format("A", "very"), "from 0 to 100"),
        ("05-a number", NUMBER.format("many", "1"), "“many” is no number"),
        ("05-a number", NUMBER.format("nan", "1"), "“nan” is no number"),
        ("05-a", "Why?\n", "“answer: \\?”"),
        ("05-a", "answer: ?\nsure: ?", "has a question"),
        ("05-a choice", NUMBER.format("?", "?"), "options such as"),
        ("05-a text", CHOICE.format("?", "?"), "options such as"),
        ("a", NUMBER.format("?", "?"), "such as 05-rows"),
        ("", NUMBER.format("?", "?"), "such as 05-rows"),
        ("05-a date", NUMBER.format("?", "?"), "number, choice, text"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_to_write(line, cell, says):
    with pytest.raises(UnclearPrediction, match=says):
        read_question(line, cell)


@pytest.mark.parametrize(
    ("text", "value"), [("1,200", 1200), ("-3", -3), (".5", 0.5), ("1e3", 1000), ("1_000", 1000)]
)
def test_numbers_are_read_as_people_write_them(text, value):
    assert number_of(text) == value


def test_a_prediction_is_in_the_journal_once_its_outcome_was_shown(learner):
    ask("05-many", CHOICE, "A", "90")
    assert lines(learner) == []
    predictions.compare("05-many", "B")
    predictions.compare("05-many", "B")
    assert lines(learner) == [("05-many", "choice", "A", 90, False)]
    [event] = Journal(learner).of(journal.Prediction)
    assert event.course == "Data persistence on PostgreSQL"


def test_words_are_in_the_journal_once_they_were_judged(learner):
    ask("05-why", NUMBER, "because", "40")
    predictions.compare("05-why", "so")
    assert lines(learner) == []
    predictions.judge("05-why", right=True)
    assert lines(learner) == [("05-why", "text", "because", 40, True)]


def test_what_was_predicted_on_an_earlier_day_counts(learner):
    ask("05-many", CHOICE, "A", "90")
    predictions.compare("05-many", "B")
    predictions.forget()
    assert "You predicted: A. one (90 % sure)." in ask("05-many", CHOICE, "B", "100")
    assert "✗" in predictions.compare("05-many", "B").text
    assert len(lines(learner)) == 1
    assert "1 prediction: 90 % sure" in predictions.calibration().text


def test_a_journal_that_cannot_be_written_to_does_not_stand_in_the_way(learner):
    Journal(learner).path.mkdir()
    try:
        ask("05-many", CHOICE, "B", "90")
        shown = predictions.compare("05-many", "B")
        assert "✓ Right." in shown.text
        assert "could not be noted" in shown.text
        assert "1 prediction: 90 % sure" in predictions.calibration().text
    finally:
        Journal(learner).path.rmdir()


def predicted(*pairs):
    for index, (sure, right) in enumerate(pairs):
        ask(f"05-q{index}", CHOICE, "B" if right else "A", str(sure))
        predictions.compare(f"05-q{index}", "B")


def finished(learner):
    return [event.notebook for event in Journal(learner).of(journal.Finished)]


def test_a_notebook_whose_questions_were_all_predicted_is_done_once(learner):
    predicted((90, True), (90, False))
    assert finished(learner) == []
    predictions.calibration()
    predictions.calibration()
    assert finished(learner) == ["05"]


def test_a_notebook_with_an_open_question_is_not_done(learner):
    predicted((90, True))
    ask("05-open", CHOICE, "A", "50")  # its outcome was not shown
    ask("06-skipped", CHOICE)
    predictions.compare("06-skipped", "B")
    predictions.calibration()
    assert finished(learner) == []


def test_a_notebook_that_was_only_run_is_not_done(learner):
    ask("05-many", CHOICE)
    predictions.compare("05-many", "B")
    predictions.calibration()
    assert finished(learner) == []


def test_without_predictions_there_is_no_plot():
    assert predictions.calibration().text.startswith("There is nothing to plot yet.")


def test_calibration_sets_how_often_beside_how_sure():
    predicted((90, True), (90, False), (50, True), (50, False), (30, False))
    shown = predictions.calibration()
    assert "about 90 % sure: right in 1 of 2" in shown.text
    assert "about 50 % sure: right in 1 of 2" in shown.text
    assert "about 30 % sure: right in 0 of 1" in shown.text
    assert "5 predictions: 62 % sure on average, right in 40 %" in shown.text
    assert "surer than you were right" in shown.text
    assert re.search(r'<img alt="[^"]{60,}"', shown.html)


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ([(50, True), (50, False)], "You know well how much you know"),
        ([(20, True), (30, True)], "right more often than you thought"),
        ([(100, False)], "1 prediction: 100 % sure on average, right in 0 %"),
    ],
)
def test_calibration_is_told_in_a_sentence(pairs, says):
    predicted(*pairs)
    assert says in predictions.calibration().text


def test_the_magics_do_the_same(notebook):
    asked = notebook.run("%%predict 05-many\n" + CHOICE.format("B", "70"))
    assert asked.result.text.startswith("You predict: B.")
    ran = notebook.run("compare('05-many', 'B')", "%calibration")
    assert "1 prediction: 70 % sure" in ran.result.text
    assert "takes no words" in notebook("%calibration 05").printed
    notebook.run("%%predict 05-why\n" + NUMBER.format("so", "70"), "compare('05-why', 'so')")
    assert "✗" in notebook.run("%predict 05-why --wrong").result.text
    assert "one of the arguments --right --wrong is required" in notebook("%predict 05-why").printed


def test_a_cell_that_cannot_be_read_is_told_in_a_line(notebook):
    printed = notebook("%%predict 05-many\nWhy?").printed
    assert printed.startswith("UnclearPrediction: A prediction has a question")
    assert "Traceback" not in printed
