"""Data for checks, made from the run's seed: other values in every run, the same again for the same
seed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

_Item = TypeVar("_Item")
_ATTEMPTS = 50
_IN_WORDS = """
ba be bo da de di do fa fe fi ga go ka ke ki ko la le li lo lu ma me mi mo na ne ni no pa pe pi
po ra re ri ro sa se si so ta te ti to tu va ve vi vo za zo
"""
_IN_NAMES = """
Amara Bilal Chidi Dalia Emre Freya Goran Hana Imani Jonas Keiko Lucía Mateo Nadia Oluwaseun
Priya Quentin Rosa Sven Thandiwe Uma Viktor Wanjiru Ximena Yusuf Zoë
"""
_SYLLABLES = _IN_WORDS.split()
_NAMES = _IN_NAMES.split()


class Data:
    """A source of plausible values for one check.

    Attributes:
        rng: a `random.Random`, for what the methods do not offer.
    """

    def __init__(self, seed: str) -> None:
        self.rng = random.Random(seed)  # noqa: S311 - test data, not secrets
        self._used: set[str] = set()

    def number(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return self.rng.randint(low, high)

    def pick(self, items: Sequence[_Item]) -> _Item:
        return self.rng.choice(items)

    def word(self, syllables: int = 3) -> str:
        """A made-up word of lowercase ASCII letters; each only once in a check.

        Args:
            syllables: two letters each; more are taken where words of so many have run out.
        """
        while True:
            for _ in range(_ATTEMPTS):
                word = self._any_word(syllables)
                if word not in self._used:
                    self._used.add(word)
                    return word
            syllables += 1

    def name(self) -> str:
        """A given name."""
        return self.rng.choice(_NAMES)

    def email(self) -> str:
        """An address that no other call in this check returns."""
        return f"{self.word()}@{self._any_word(2)}.example"

    def text(self, words: int = 8) -> str:
        """A sentence of made-up words."""
        sentence = " ".join(self.word(self.rng.randint(1, 3) + 1) for _ in range(words))
        return f"{sentence.capitalize()}."

    def _any_word(self, syllables: int) -> str:
        return "".join(self.rng.choice(_SYLLABLES) for _ in range(syllables))
