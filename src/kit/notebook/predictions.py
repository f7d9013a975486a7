"""Predict, run, compare: what the learner expected, beside what happened."""

from __future__ import annotations

from dataclasses import replace
from html import escape

from kit.notebook.errors import NotebookError
from kit.notebook.figures import figure
from kit.notebook.ledger import Ledger, Prediction
from kit.notebook.questions import Asked, Question, number_of, plain_number, read_question
from kit.notebook.scales import number
from kit.notebook.showing import Shown, framed

_BINS = ((0, 39), (40, 59), (60, 79), (80, 94), (95, 100))
"""How sure, in percent, is taken together; few groups, because there are few predictions."""

_ledger = Ledger()
_questions: dict[str, Question] = {}
_outcomes: dict[str, str] = {}
"""What came, by question, as far as it was shown in this kernel."""


def predict(line: str, cell: str) -> Shown:
    """Note the answer in a ``%%predict`` cell, if there is one by now.

    Raises:
        UnclearPrediction: the cell cannot be read.
    """
    asked = read_question(line, cell)
    question = asked.question
    _questions[question.name] = question
    kept = _ledger.find(question.name)
    if kept is not None and kept.right is not None:
        told = f"You predicted: {question.told(kept.answer)} ({kept.sure} % sure)."
        return _card(told, "The first prediction counts; you have seen what happened.")
    if missing := _missing(asked):
        return _card("Predict first.", missing)
    assert asked.answer is not None
    assert asked.sure is not None
    if question.name in _outcomes:
        return _card("This came after the outcome was shown, so it does not count.", "")
    _ledger.keep(Prediction(question.name, question.kind, asked.answer, asked.sure))
    told = f"You predict: {question.told(asked.answer)} ({asked.sure} % sure)."
    return _card(told, "Now run the next cells, and see.")


def compare(
    name: str, happened: object, *, within: float | None = None, because: str = ""
) -> Shown:
    """Show what happened beside what was predicted, and whether that was right.

    Args:
        name: of the question.
        happened: the letter of a choice, a number, or for free text a sentence.
        within: how far a predicted number may be off; it has to be the same if left out.
        because: one sentence that says why it came so.

    Raises:
        NotebookError: ``happened`` is none of the answers that were asked for.
    """
    question = _questions.get(name) or Question(name, "text", "", {})
    came = _came(question, happened)
    _outcomes[name] = came
    prediction = _ledger.find(name)
    outcome = f"What happened: {question.told(came)}"
    if not outcome.endswith((".", "!", "?")):
        outcome += "."
    if prediction is None:
        return _card(outcome, because)
    told = f"You predicted: {question.told(prediction.answer)} ({prediction.sure} % sure)."
    if question.kind == "text" and prediction.right is None:
        judge = f"Was that right? Judge for yourself: %predict {name} --right, or --wrong."
        return _card(f"{told} {outcome}", f"{because} {judge}".strip())
    right = prediction.right
    if right is None:
        right = _is_right(prediction, came, within or 0.0)
        problem = _ledger.keep(replace(prediction, right=right))
        because = f"{because} {problem}".strip()
    return _card(f"{told} {outcome}", because, right=right)


def judge(name: str, *, right: bool) -> Shown:
    """Note what the learner says of their own free text.

    Raises:
        NotebookError: there is no prediction of that name, or its outcome was not shown yet.
    """
    prediction = _ledger.find(name)
    if prediction is None or name not in _outcomes:
        msg = f"There is nothing to judge: {name} was not predicted, or is still to come."
        raise NotebookError(msg)
    if prediction.kind != "text":
        msg = f"{name} is no free text: it was compared already."
        raise NotebookError(msg)
    problem = _ledger.keep(replace(prediction, right=right))
    return _card("Noted." if not problem else "Taken.", problem, right=right)


def calibration() -> Shown:
    """How often the learner was right, by how sure they were; over all notebooks.

    A notebook ends with it: one whose questions were all predicted, and the outcomes seen, is done.
    """
    known = list(_ledger)
    for notebook in _done({one.name for one in known}):
        _ledger.finish(notebook)
    if not known:
        return _card(
            "There is nothing to plot yet.",
            "Predict before you run; here you will see how well you know what you know.",
        )
    rows: list[tuple[float, float | None, float]] = []
    told = []
    for low, high in _BINS:
        those = [one for one in known if low <= one.sure <= high]
        if not those:
            continue
        right = sum(bool(one.right) for one in those)
        sure = sum(one.sure for one in those) / len(those)
        rows.append((sure, 100 * right / len(those), sure))
        told.append(f"about {number(round(sure))} % sure: right in {right} of {len(those)}")
    rows = [(0.0, None, 0.0), *rows, (100.0, None, 100.0)]
    sentence = _in_a_sentence(known)
    return figure(
        rows, ("how sure you were, %", "how often you were right", "as right as sure"),
        kind="lines", title=sentence, alt=f"{sentence} In detail: {'; '.join(told)}.", unit="%",
    )  # fmt: skip


def forget() -> None:
    """Forget what this kernel has asked, heard and shown; what is in the journal stays."""
    _ledger.clear()
    _questions.clear()
    _outcomes.clear()


def _done(known: set[str]) -> list[str]:
    """The notebooks of this kernel of which no question is open, by number."""
    asked: dict[str, set[str]] = {}
    for name in _questions:
        asked.setdefault(name.partition("-")[0], set()).add(name)
    return [number for number, names in asked.items() if names <= known]


def _in_a_sentence(known: list[Prediction]) -> str:
    sure = sum(one.sure for one in known) / len(known)
    right = 100 * sum(bool(one.right) for one in known) / len(known)
    plural = "" if len(known) == 1 else "s"
    found = f"{len(known)} prediction{plural}: {sure:.0f} % sure on average, right in {right:.0f} %"
    if abs(sure - right) <= 10:
        return f"{found}. You know well how much you know."
    than = "surer than you were right" if sure > right else "right more often than you thought"
    return f"{found}. You were {than}."


def _missing(asked: Asked) -> str:
    if asked.answer is None:
        return "Replace the question marks by your answer and by how sure you are, from 0 to 100."
    if asked.sure is None:
        return "How sure are you? Write a number from 0 to 100 behind “sure:”."
    return ""


def _came(question: Question, happened: object) -> str:
    """The outcome as an answer is written."""
    if question.kind == "choice":
        letter = str(happened).upper()
        if letter not in question.options:
            msg = f"{happened!r} is none of the answers of {question.name}."
            raise NotebookError(msg)
        return letter
    if question.kind == "number":
        return plain_number(float(str(happened)))
    return str(happened)


def _is_right(prediction: Prediction, came: str, within: float) -> bool:
    if prediction.kind == "number":
        return abs(number_of(prediction.answer) - number_of(came)) <= within
    return prediction.answer == came


def _card(first: str, then: str, *, right: bool | None = None) -> Shown:
    mark = {None: "", True: "✓ Right.", False: "✗ Not this time."}[right]
    lines = [line for line in (first, f"{mark} {then}".strip()) if line]
    html = "".join(f"<p>{escape(line)}</p>" for line in lines)
    strong = escape(lines[0]) if right is None else mark
    html = html.replace(strong, f"<strong>{strong}</strong>", 1)
    look = {None: "", True: "good", False: "bad"}[right]
    return Shown("\n".join(lines), framed("verdict", html, look=look))
