"""The learner's predictions: what was expected, how sure they were, and whether it came so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["choice", "number", "text"]


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


@dataclass
class Ledger:
    """Predictions by name, the first for each: who has seen the outcome predicts no more."""

    _kept: dict[str, Prediction] = field(default_factory=dict)

    def find(self, name: str) -> Prediction | None:
        """The prediction that counts for a question."""
        return self._kept.get(name)

    def keep(self, prediction: Prediction) -> None:
        """Note a prediction; one that was compared already stays as it is."""
        before = self.find(prediction.name)
        if before is None or before.right is None:
            self._kept[prediction.name] = prediction

    def clear(self) -> None:
        """Forget all of them."""
        self._kept.clear()

    def __iter__(self) -> Iterator[Prediction]:
        """Those that came so or did not."""
        return (one for one in self._kept.values() if one.right is not None)
