"""Magics for learning: predict before you run, do the exercise, see how well you know it."""

from __future__ import annotations

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class

from kit.notebook import exercises, practice_cards, predictions, results
from kit.notebook.arguments import Words
from kit.notebook.showing import Shown


@magics_class
class LearningMagics(Magics):
    """``%%predict``, ``%calibration``, ``%%exercise``, ``%hint``, ``%progress``."""

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

    @line_cell_magic
    def exercise(self, line: str, cell: str | None = None) -> Shown:
        """Write the cell to an exercise's file, and check it: ``%%exercise 04_repository``.

        ``%%exercise NAME FILE`` where there are several files; ``%exercise NAME`` checks the files
        as they are. A cell of comments alone writes nothing, and shows what is asked for.
        """
        words = Words("%%exercise" if cell is not None else "%exercise")
        words.add_argument("name")
        if cell is not None:
            words.add_argument("file", nargs="?")
        found = words.read(line)
        chosen = exercises.exercise_of(found.name)
        practice_cards.remember(chosen.name)
        note = ""
        if cell is not None:
            path = exercises.answer_file(chosen, found.file)
            if not exercises.has_code(cell):
                return results.task(chosen, exercises.visible_checks(chosen), path.name)
            kept = exercises.write_answer(path, cell)
            note = f"Written to exercises/{chosen.name}/{path.name}."
            if kept:
                note += f" What stood there before is kept in {kept}."
        return results.results(exercises.check(chosen), note, course_root=exercises.course_root())

    @line_magic
    def hint(self, line: str) -> Shown:
        """Show the next hint for what the last check found: ``%hint``, ``%hint 04``."""
        words = Words("%hint")
        words.add_argument("exercise", nargs="?")
        words.add_argument("misconception", nargs="?")
        found = words.read(line)
        return practice_cards.hint(found.exercise, found.misconception)

    @line_magic
    def progress(self, line: str) -> Shown:
        """Show which exercises are done."""
        Words("%progress").read(line)
        return practice_cards.progress()
