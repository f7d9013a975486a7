"""The errors of the grader: what the kit, an exercise's author or the machine did wrong.

::

    GraderError
    ├── CatalogError        an exercise, a check file or a course is not well formed
    │   └── UnknownName     the course has nothing of the name that was asked for
    ├── SubmissionError     a submission cannot be read at all
    ├── ClusterError        a grading cannot be done on a cluster
    ├── ResumeError         a grading cannot be gone on with
    ├── SandboxError        no sandbox can be had, or one broke
    ├── JudgeError          the judge could not do its work
    ├── CheckError          an exercise's checks, or its schema, cannot work
    ├── SigningError        a key cannot be used, or nothing is signed
    └── ReportError         a report cannot be written
        └── ReportInputError    what it should be made from cannot be used

What a *submission* does wrong is never an exception of the kit: it is a `grader.results.Failure`.
"""


class GraderError(Exception):
    """Base of all errors of the grader; the message says what happened and what to do next."""


class CatalogError(GraderError):
    """An exercise, a check file or a course is not well formed."""


class UnknownName(CatalogError):
    """The course has nothing of the name that was asked for."""


class SubmissionError(GraderError):
    """A submission cannot be read at all."""


class ClusterError(GraderError):
    """There is no cluster where one was named, or it is not as it must be."""


class ResumeError(GraderError):
    """A grading that was broken off cannot be gone on with as asked."""


class SandboxError(GraderError):
    """No sandbox can be had on this machine, or one broke."""


class JudgeError(GraderError):
    """The judge could not do its work."""


class CheckError(GraderError):
    """A check asks an instrument for what it cannot do, or the schema under it cannot be built: the
    exercise's author is at fault.
    """


class SigningError(GraderError):
    """A key cannot be used, or there is no signature to verify."""


class ReportError(GraderError):
    """A report cannot be written."""


class ReportInputError(ReportError):
    """What a report should be made from (``results.json``, a worksheet) cannot be used."""
