"""What a check file uses.

A check file imports `check`, `hint` and `Raises`; the instruments come as parameters, by name:

==============  ================================================================================
``student``     calls the submission in its sandbox (`grader.checks.student.Student`)
``db``          what is really in the database (`grader.checks.state.Database`)
``statements``  what was really sent, from the server's log (`grader.checks.sent.Statements`)
``faults``      lets writes fail and connections be lost (`grader.checks.faults.Faults`)
``data``        values made from the run's seed (`grader.checks.data.Data`)
==============  ================================================================================
"""

from grader.checks.verdict import Hint, NotPassed, Raises, check, hint

INSTRUMENTS = ("data", "db", "faults", "statements", "student")

__all__ = ["INSTRUMENTS", "Hint", "NotPassed", "Raises", "check", "hint"]
