"""Magics for learning: predict before you run, and see how well you know what you know."""

from __future__ import annotations

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class

from kit.notebook import predictions
from kit.notebook.arguments import Words
from kit.notebook.showing import Shown


@magics_class
class LearningMagics(Magics):
    """``%%predict``, ``%predict`` and ``%calibration``."""

    @line_cell_magic
    def predict(self, line: str, cell: str | None = None) -> Shown:
        """Answer a question before you see what happens: ``%%predict 05-rows``, and the cell.

        ``%predict 05-why --right`` or ``--wrong`` says whether a free text was right.
        """
        if cell is not None:
            return predictions.predict(line, cell)
        words = Words("%predict")
        words.add_argument("name")
        judged = words.add_mutually_exclusive_group(required=True)
        judged.add_argument("--right", action="store_true")
        judged.add_argument("--wrong", action="store_true")
        found = words.read(line)
        return predictions.judge(found.name, right=found.right)

    @line_magic
    def calibration(self, line: str) -> Shown:
        """Plot how often you were right, by how sure you were."""
        if line.strip():
            msg = "%calibration takes no words: it is about all of your predictions."
            raise UsageError(msg)
        return predictions.calibration()
