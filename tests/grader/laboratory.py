"""Runs source text as a submission, without a judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grader import wire
from grader.sandbox import Runner, Sandbox
from grader.sandbox.outcomes import Answer, Outcome
from grader.worker.limits import Limits
from pglab.scratch import Database, Role
from pglab.servers import Server
from pglab.urls import database_url, sqlalchemy_url


@dataclass
class Laboratory:
    """A sandbox and a database that submissions may enter."""

    server: Server
    sandbox: Sandbox
    role: Role
    database: Database

    def connect(self, runner: Runner) -> None:
        url = database_url(
            self.database.name,
            user=self.role.name,
            password=self.role.password,
            host=self.sandbox.socket_dir_inside,
            port=self.server.port,
        )
        connected = runner.ask({"op": "connect", "url": sqlalchemy_url(url)}, 60)
        assert connected == Answer(None), connected

    def submit(self, source: str, **limits: int) -> Submission:
        """A submission of one module, ``m.py``, imported in a cell of its own."""
        return Submission(self, {"m.py": source}, Limits(**limits))


class Submission:
    """A submission in a cell of its own, and the runner that imported it last."""

    def __init__(
        self, lab: Laboratory, files: Mapping[str, str | bytes], limits: Limits | None = None
    ) -> None:
        self.lab = lab
        self.files = files
        self.cell = lab.sandbox.cell(limits)
        self.runner = self.cell.runner()
        self.imported = self._open()

    def again(self) -> Outcome:
        """Reset the cell, as between two checks, and import the submission anew."""
        self.runner.close()
        self.cell.reset()
        self.runner = self.cell.runner()
        return self._open()

    def call(
        self,
        function: str,
        *args: Any,
        seconds: float = 60,
        commit: bool = False,
        **kwargs: Any,
    ) -> Outcome:
        request = {
            "op": "call",
            "function": function,
            "args": wire.encode(list(args)),
            "kwargs": wire.encode(kwargs),
            "commit": commit,
        }
        return self.runner.ask(request, seconds)

    def value(self, function: str, *args: Any, **kwargs: Any) -> Any:
        """What a call answers; it must answer."""
        outcome = self.call(function, *args, **kwargs)
        assert isinstance(outcome, Answer), outcome
        return outcome.value

    def close(self) -> None:
        self.runner.close()
        self.cell.close()

    def _open(self) -> Outcome:
        self.lab.connect(self.runner)
        files = {
            name: wire.encode(text.encode() if isinstance(text, str) else text)
            for name, text in self.files.items()
        }
        return self.runner.ask({"op": "import", "files": files, "module": "m"}, 60)
