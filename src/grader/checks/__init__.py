"""What a check file uses.

A check file imports `check`, `hint` and `Raises`; the instruments come as parameters, by name:

==============  ================================================================================
``student``     calls the submission in its sandbox (`grader.checks.student.Student`)
``db``          what is really in the database (`grader.checks.state.Database`)
``statements``  what was really sent, from the server's log (`grader.checks.sent.Statements`)
``faults``      lets writes fail and connections be lost (`grader.checks.faults.Faults`)
``rivals``      processes of the submission, stepped through a race (`grader.checks.rivals.Rivals`)
``migrations``  runs Alembic up, down and halfway (`grader.checks.migrations.Migrations`)
``oracle``      compares answers with the author's query (`grader.checks.oracle.Oracle`)
``api``         asks an ASGI application by HTTP (`grader.checks.api.Api`)
``sessions``    its connections, as the server sees them (`grader.checks.sessions.Sessions`)
``data``        values made from the run's seed (`grader.checks.data.Data`)
``schema``      which tables and rules there are, from the catalog (`grader.checks.schema.Schema`)
``probe``       rows that must be accepted or refused (`grader.checks.probe.Probe`)
``plan``        how statements that were sent are really run (`grader.checks.plan.Plans`)
``sql``         runs a ``.sql`` answer as the student (`grader.checks.sqlfile.SqlFiles`)
==============  ================================================================================
"""

from grader.checks.verdict import Hint, NotPassed, Raises, check, hint

INSTRUMENTS = (
    "api",
    "data",
    "db",
    "faults",
    "migrations",
    "oracle",
    "plan",
    "probe",
    "rivals",
    "schema",
    "sessions",
    "sql",
    "statements",
    "student",
)

__all__ = ["INSTRUMENTS", "Hint", "NotPassed", "Raises", "check", "hint"]
