"""The learner's predictions: what was expected, how sure they were, and whether it came so.

They are kept in the journal in the kit's home once their outcome was shown, and come from there
into the tracker (`kit.journal`). Where the journal cannot be written to, they last as long as the
kernel.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from kit import journal
from kit.errors import KitError
from kit.journal import Finished
from kit.notebook.exercises import NoSuchExercise, course_title

Kind = Literal["choice", "number", "text"]
KINDS: tuple[Kind, ...] = ("choice", "number", "text")


@dataclass(frozen=True)
class Prediction:
    """An answer that was given before the outcome was seen."""

    name: str
    """Of the question: ``05-status``, the notebook's number first."""
    kind: Kind
    answer: str
    sure: int
    """Percent."""
    right: bool | None = None
    """Whether it came so; None until it was compared, or judged."""


class Ledger:
    """Predictions by name, the first for each: who has seen the outcome predicts no more."""

    def __init__(self) -> None:
        self._here: dict[str, Prediction] = {}

    def find(self, name: str) -> Prediction | None:
        """The prediction that counts for a question, of today or of an earlier day."""
        here = self._here.get(name)
        if here is not None and here.right is not None:
            return here
        return self._journaled().get(name, here)

    def keep(self, prediction: Prediction) -> str:
        """Take a prediction that was made, and is not compared yet; one that was, stays.

        Returns:
            Why it could not be noted for good; empty where it was, or need not be yet.
        """
        name = prediction.name
        before = self.find(name)
        if before is not None and before.right is not None:
            return ""
        self._here[name] = prediction
        return "" if prediction.right is None else self._note(prediction)

    def clear(self) -> None:
        """Forget what is in this kernel alone."""
        self._here.clear()

    def __iter__(self) -> Iterator[Prediction]:
        """Those that came so or did not."""
        known = {**self._journaled(), **self._here}
        return (one for one in known.values() if one.right is not None)

    def _note(self, prediction: Prediction) -> str:
        event = journal.Prediction(
            course="", question=prediction.name, kind=prediction.kind, answer=prediction.answer,
            confidence=prediction.sure, is_correct=prediction.right,
        )  # fmt: skip
        try:
            journal.journal().add(replace(event, course=course_title()))
        except (KitError, NoSuchExercise) as error:
            return f"This prediction could not be noted for kit progress: {error}"
        return ""

    def finish(self, notebook: str) -> None:
        """Note that a notebook was worked through, once, if the journal can be written to.

        Where it cannot, that was said already, when a prediction could not be noted.

        Args:
            notebook: its number, such as ``05``.
        """
        with contextlib.suppress(KitError, NoSuchExercise):
            course = course_title()
            kept = journal.journal()
            if all(one.course != course or one.notebook != notebook for one in kept.of(Finished)):
                kept.add(Finished(course=course, notebook=notebook))

    def _journaled(self) -> dict[str, Prediction]:
        """The first prediction of each question whose outcome was shown."""
        found: dict[str, Prediction] = {}
        try:
            events = list(journal.journal().of(journal.Prediction))
        except KitError:
            return found
        for event in events:
            kind = next((kind for kind in KINDS if kind == event.kind), None)
            if kind is None or event.confidence is None or event.is_correct is None:
                continue
            made = Prediction(
                event.question, kind, event.answer, event.confidence, event.is_correct
            )
            found.setdefault(event.question, made)
        return found
