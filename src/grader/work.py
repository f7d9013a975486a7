"""What a grading has to do: the checks of each exercise on each submission that handed it in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from grader.catalog import CheckSpec, Exercise
from grader.submissions import Submission

DeskKey = tuple[int, str]
"""A submission, by its number in the class, at an exercise, by name: what is done in one place."""
CheckKey = tuple[int, str, str]
"""The same, and a check of that exercise by name."""


@dataclass(frozen=True, slots=True)
class Work:
    """Submissions at exercises.

    Args:
        submissions: sorted by student.
        exercises: in the order of the course.
        visible_only: leave out the checks that only instructors hold.
        until_failure: at each exercise of a submission, leave out the checks after the first one
            that fails.
        first: names of checks that are run before the others of their exercise.
    """

    submissions: tuple[Submission, ...]
    exercises: tuple[Exercise, ...]
    visible_only: bool = False
    until_failure: bool = False
    first: tuple[str, ...] = ()

    def specs(self, exercise: Exercise) -> list[CheckSpec]:
        """The checks of an exercise that are run."""
        return [spec for spec in exercise.checks if spec.visible or not self.visible_only]

    def turns(self, exercise: Exercise) -> list[CheckSpec]:
        """The same, in the order in which they are run."""
        return sorted(self.specs(exercise), key=lambda spec: spec.name not in self.first)

    def desks(self) -> Iterator[tuple[DeskKey, Submission, Exercise]]:
        """Every submission at every exercise that it holds files of."""
        for number, submission in enumerate(self.submissions):
            for exercise in self.exercises:
                if exercise.name in submission.files:
                    yield (number, exercise.name), submission, exercise

    @property
    def checks(self) -> int:
        """How many checks there are to run."""
        each = {exercise.name: len(self.specs(exercise)) for exercise in self.exercises}
        return sum(each[name] for (_, name), _, _ in self.desks())
