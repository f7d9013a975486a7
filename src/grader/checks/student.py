"""The instrument ``student``: calls the submission in its sandbox and turns what goes wrong into
failures.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Protocol

from grader import wire
from grader.checks.verdict import Hint, NotPassed, Raises
from grader.errors import CheckError
from grader.results import Failure, Reason
from grader.sandbox.outcomes import Answer, Ended, Outcome, Raised, Unusable
from grader.sandbox.runner import Runner
from grader.text import clean, literal, lower_first

_YOURS = "Your code"
"""What a driver is called in messages: the learner has never seen it."""
MISSING = "MissingFunction"
"""What the worker raises where the submission has no such function."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, kept for the words of a failure."""

    function: str
    answered: bool
    value: Any = None


@dataclass(slots=True)
class Said:
    """What a submission has answered and printed in a check, by whichever of its processes."""

    calls: list[Call] = field(default_factory=list)
    printed: str = ""


class Processes(Protocol):
    """Ends processes of the submission and starts new ones."""

    def end(self, student: Student) -> None:
        """Kill one, as a machine that fails does, with what the server still does for it."""

    def start(self) -> Runner:
        """A new one on the same database, with the submission imported.

        Raises:
            NotPassed: it cannot be imported there any more.
        """

    def another(self) -> Student:
        """The same, for calls that are counted with those of the first one."""


class Student:
    """The submission. Each call gets a SQLAlchemy session on this check's database.

    Args:
        runner: the process in the sandbox, already connected and with the submission imported.
        module: file name of the module, for messages.
        seconds: time limit of a call.
        commits: whether the kit, as the caller, commits after a call that returned.
        before_call: called before each call.
        after_call: called when a call has ended, whichever way.
        processes: for `restart` and `another`; without it they are errors of the check.
        said: where calls and output are noted, if that is another process's place too.
    """

    def __init__(
        self,
        runner: Runner,
        *,
        module: str,
        seconds: float,
        commits: bool,
        before_call: Callable[[], None] = lambda: None,
        after_call: Callable[[], None] = lambda: None,
        processes: Processes | None = None,
        said: Said | None = None,
    ) -> None:
        self.runner = runner
        self._module = module
        self._seconds = seconds
        self._commits = commits
        self._before_call = before_call
        self._after_call = after_call
        self._processes = processes
        self.said = said or Said()
        self._begun = ""
        self._begun_at: float | None = None
        self.output = ""
        """What the last call printed, or the import where there was none; at most 16 kB of it."""
        self.seconds = 0.0
        """How long the last call took by the judge's clock, from `begin` until its outcome was
        taken. It depends on the machine: for telling, and for coarse bounds.
        """

    @property
    def is_busy(self) -> bool:
        """Whether a call was begun and nobody has taken its outcome yet."""
        return self._begun_at is not None

    @property
    def calls(self) -> list[Call]:
        """The calls of the check so far, those of `another` among them."""
        return self.said.calls

    @property
    def printed(self) -> str:
        """What was printed during the whole check, importing the submission included."""
        return self.said.printed

    def call(
        self,
        function: str,
        *args: Any,
        expect: type[Raises] | Raises | None = None,
        commit: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call a function of the submission with a session and these arguments.

        Args:
            expect: ``Raises`` or ``Raises("Name")`` where the call must raise.
            commit: whether the kit commits after the call returned, where that is not what the
                exercise says. Without it everything that the call left uncommitted is rolled back.

        Returns:
            What the function returned, as plain built-in values; with ``expect``, the `Raised`
            exception.

        Raises:
            NotPassed: the call raised, did not raise, did not answer, or answered what cannot be
                read.
        """
        self.begin(function, *args, commit=commit, **kwargs)
        return self.finish(expect=expect)

    def drive(
        self,
        driver: Callable[..., Any],
        *args: Any,
        expect: type[Raises] | Raises | None = None,
        commit: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Run a function of the check file beside the student's code, as ``driver(session, module,
        …)``.

        The function is sent as source text: it must be self-contained, its imports inside. What it
        returns is as untrusted as everything else that comes from there.
        """
        self.begin_drive(driver, *args, commit=commit, **kwargs)
        return self.finish(expect=expect)

    def begin(self, function: str, *args: Any, commit: bool | None = None, **kwargs: Any) -> None:
        """Start a call and return at once; `finish` tells what became of it."""
        self._begin(function, self._request("call", function, args, kwargs, commit))

    def begin_drive(
        self, driver: Callable[..., Any], *args: Any, commit: bool | None = None, **kwargs: Any
    ) -> None:
        """Start what `drive` does and return at once; `finish` tells what became of it."""
        request = self._request("drive", driver.__name__, args, kwargs, commit)
        request["source"] = _source(inspect.unwrap(driver).__code__)
        self._begin(_YOURS, request)

    def restart(self) -> None:
        """Kill the submission's process, also in the middle of a call that was begun, and start a
        new one on the same database: what was only in memory is gone. Its files stay.

        Raises:
            NotPassed: the submission cannot be imported a second time.
        """
        processes = self._controlled()
        if not self.is_busy:
            self._before_call()
        processes.end(self)
        if self.is_busy:
            self._ended(Call(self._begun, answered=False))
        self.runner = processes.start()
        self.heard(self.runner.output)

    def another(self) -> Student:
        """The submission in one more process on the same database, as a second worker has it. Its
        calls count like those of the first one; they are made one after the other.

        Raises:
            NotPassed: the submission cannot be imported a second time.
        """
        processes = self._controlled()
        self._before_call()
        return processes.another()

    def run(self, title: str, driver: Callable[..., Any], *args: Any) -> Outcome:
        """Run an instrument's own driver, called ``title`` in messages; whatever comes of it."""
        request = self._request("drive", driver.__name__, args, {}, commit=False)
        request["source"] = _source(inspect.unwrap(driver).__code__)
        self._begin(title, request)
        return self.outcome()

    def has_answered(self, seconds: float = 0) -> bool:
        """Whether what was begun has ended, after waiting for that at most so long."""
        return self.runner.has_answered(seconds)

    def finish(self, *, expect: type[Raises] | Raises | None = None) -> Any:
        """What `call` or `drive` would have returned or raised for what was begun."""
        return self.judged(self.outcome(), expect)

    def outcome(self, seconds: float | None = None) -> Outcome:
        """What became of what was begun, whatever it is; waits as long as a call may take."""
        try:
            outcome = self.runner.finish(self._seconds if seconds is None else seconds)
        finally:
            self.heard(self.runner.output)
        value = outcome.value if isinstance(outcome, Answer) else None
        self._ended(Call(self._begun, isinstance(outcome, Answer), value))
        return outcome

    def judged(
        self, outcome: Outcome, expect: type[Raises] | Raises | None = None, *, name: str = ""
    ) -> Any:
        """The value of an answer, or with ``expect`` what was raised.

        Args:
            name: what the call is called in messages; without it by the function's name.

        Raises:
            NotPassed: it is neither, or not what was expected.
        """
        missing = isinstance(outcome, Raised) and outcome.type == MISSING
        name = self._begun if missing else (name or self._begun)
        if isinstance(outcome, Answer):
            if expect is None or (isinstance(expect, Raises) and not expect.required):
                return outcome.value
            raise NotPassed(_in_the_words_of(expect, _did_not_raise(name, expect, outcome.value)))
        if isinstance(outcome, Raised) and expect is not None and not missing:
            if _matches(outcome, expect):
                return outcome
            raise NotPassed(_in_the_words_of(expect, _raised_another(name, expect, outcome)))
        raise NotPassed(failure_of(outcome, name, self._module))

    def heard(self, output: bytes) -> None:
        """Keep what the submission printed during its last request."""
        self.output = clean(output)
        self.said.printed = clean(self.printed + self.output)

    def _request(
        self,
        op: str,
        function: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        commit: bool | None,
    ) -> dict[str, Any]:
        return {
            "op": op,
            "function": function,
            "args": wire.encode(list(args)),
            "kwargs": wire.encode(dict(kwargs)),
            "commit": self._commits if commit is None else commit,
        }

    def _begin(self, name: str, request: Mapping[str, Any]) -> None:
        self._begun = name
        self._before_call()
        begun_at = time.monotonic()
        self.runner.begin(request)
        self._begun_at = begun_at

    def _ended(self, call: Call) -> None:
        assert self._begun_at is not None, "begin() comes first"
        self.seconds, self._begun_at = time.monotonic() - self._begun_at, None
        self.calls.append(call)
        self._after_call()

    def _controlled(self) -> Processes:
        if self._processes is None:
            raise CheckError("Only processes of `student` can be restarted, or have others beside.")
        return self._processes


@functools.lru_cache(maxsize=500)
def _source(driver: CodeType) -> str:
    """What is sent of a driver: slow to find, and the same for each submission. By its code, for a
    function can hold on to the check that it was defined in.
    """
    return textwrap.dedent(inspect.getsource(driver))


def failure_of(outcome: Outcome, name: str, module: str) -> Failure:
    """What is said where a call gave no answer that can be used."""
    if isinstance(outcome, Raised):
        if outcome.type == MISSING:
            return Failure(
                Reason.MISSING,
                f"{module} has no function called {_named(outcome, name)}.",
                question="Is the name spelled exactly as in the exercise's README?",
            )
        return _raised(outcome, name)
    if isinstance(outcome, Unusable):
        return Failure(
            Reason.WIRE,
            f"{name} returned something that cannot be read as plain values: "
            f"{clean(outcome.problem, 200)}.",
            question="Which plain values (numbers, texts, lists, dicts) does the README ask for?",
        )
    assert isinstance(outcome, Ended)
    questions = {
        Reason.TIMEOUT: "Is there a loop that cannot end, or a lock that is never given back?",
        Reason.KILLED: "Does something in your code leave the program?",
    }
    return Failure(
        outcome.reason,
        f"{name} gave no answer: {lower_first(outcome.message)}",
        question=questions.get(outcome.reason, ""),
    )


def _named(missing: Raised, called: str) -> str:
    """The function that is missing: the one that was called, or one that a driver asked for."""
    return called if called != _YOURS else clean(missing.message, 100)


def _raised(outcome: Raised, name: str) -> Failure:
    state = f" (SQLSTATE {outcome.sqlstate})" if outcome.sqlstate else ""
    lines = []
    for frame in outcome.frames:
        lines += [
            f"  {frame.get('file')}, line {frame.get('line')}, in {frame.get('name')}",
            f"    {frame.get('code') or ''}",
        ]
    last = outcome.frames[-1] if outcome.frames else {}
    return Failure(
        Reason.RAISED,
        f"{name} raised {clean(outcome.type, 100)}{state}.",
        actual=_with_message(outcome, 800),
        traceback=clean("\n".join(lines), 2000),
        location=clean(f"{last.get('file')}:{last.get('line')}", 200) if last else "",
    )


def import_failure(outcome: Outcome, file: str) -> Failure:
    """What is said where the submission's module could not be imported."""
    if not isinstance(outcome, Raised):
        failure = failure_of(outcome, f"Importing {file}", file)
        return failure
    if outcome.syntax:
        return _not_python(outcome, outcome.syntax, file)
    raised = _raised(outcome, f"Importing {file}")
    return Failure(
        Reason.IMPORT,
        f"{file} could not be imported: {clean(outcome.type, 100)}: {clean(outcome.message, 300)}",
        question="Does the file run by itself, with nothing but what the exercise gives you?",
        actual=raised.actual,
        traceback=raised.traceback,
        location=raised.location,
    )


def _not_python(outcome: Raised, syntax: Mapping[str, Any], file: str) -> Failure:
    place = clean(str(syntax.get("file") or file), 100)
    line = syntax.get("line")
    known = isinstance(line, int) and 0 <= line < 10**9
    return Failure(
        Reason.IMPORT,
        f"{place} is not valid Python"
        + (f": line {line} cannot be read." if known else ": it cannot be read."),
        question="What does the line before it leave open?" if known else "",
        actual=_with_message(outcome, 400),
        traceback=clean(str(syntax.get("code") or ""), 400),
        location=f"{place}:{line}" if known else place,
    )


def _with_message(outcome: Raised, limit: int) -> str:
    """The exception as Python prints it."""
    return clean(f"{outcome.type}: {outcome.message}" if outcome.message else outcome.type, limit)


def _matches(outcome: Raised, expect: type[Raises] | Raises) -> bool:
    name = expect.name if isinstance(expect, Raises) else None
    return name is None or name == outcome.type or name in outcome.bases


def _wanted(expect: type[Raises] | Raises) -> str:
    return expect.name if isinstance(expect, Raises) and expect.name else "an exception"


def _did_not_raise(name: str, expect: type[Raises] | Raises, value: Any) -> Failure:
    return Failure(
        Reason.ASSERTION,
        f"{name} should have raised {_wanted(expect)}, and it returned instead.",
        question="What should the caller learn when this cannot be done?",
        expected=f"raises {_wanted(expect)}",
        actual=clean(f"returned {literal(value)}", 600),
    )


def _raised_another(name: str, expect: type[Raises] | Raises, outcome: Raised) -> Failure:
    failure = _raised(outcome, name)
    return Failure(
        Reason.RAISED,
        f"{name} should have raised {_wanted(expect)}, and it raised {clean(outcome.type, 100)}.",
        expected=f"raises {_wanted(expect)}",
        actual=failure.actual,
        traceback=failure.traceback,
        location=failure.location,
    )


def _in_the_words_of(expect: type[Raises] | Raises, failure: Failure) -> Failure:
    """What the author has to say where it was not raised, beside what came instead."""
    if not isinstance(expect, Raises) or expect.otherwise is None:
        return failure
    return retold(failure, expect.otherwise)


def retold(failure: Failure, said: Hint) -> Failure:
    """A failure in the words of an author who knows more about the exercise."""
    return dataclasses.replace(
        failure,
        message=clean(said.message, 1500),
        question=clean(said.question, 500) or failure.question,
        misconception=said.misconception,
    )
