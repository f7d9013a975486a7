"""The instructor's end of a cluster: hands out submissions and gathers what comes back."""

from __future__ import annotations

import contextlib
import queue
import secrets
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import CancelledError
from typing import Any, Self

from distributed import Client, Future, KilledWorker

from grader.catalog import Exercise
from grader.cluster import node
from grader.cluster.orders import Absent, Delivery, Greeting, Nodes, Order, Setup, pack
from grader.errors import ClusterError
from grader.evidence import surroundings
from grader.gathered import Gathered, decoded
from grader.results import Evidence
from grader.work import DeskKey, Work

_CONNECT_S = 10.0
_NODES_S = 15.0
"""How long the scheduler may have no nodes before the grading begins."""
_INSTALL_S = 180.0
_LOOK_S = 2.0
_GLANCE_S = 0.1
_GONE_S = 60.0
"""How long the scheduler may have no nodes once it has begun."""
_AHEAD = 2
"""Submissions handed out for each thread of the nodes: one that is graded, one that waits."""


class Cluster:
    """The nodes of a Dask scheduler as a place where a grading is done; see `grader.machine`.

    Args:
        nodes: where they are.
        exercises: what is graded.
        database: ``auto`` and ``embedded`` are an embedded server on each node, ``container`` is
            a container on each.
        sandbox: as for `grader.batch.grade`.
        seed: of the run.
        own_work: the code is the user's own, so that a mere process may do as sandbox.
        say: told what was found.

    Raises:
        ClusterError: on entry, where no scheduler or no node is there, or one is not as it must
            be.
    """

    evidence: Evidence

    def __init__(
        self,
        nodes: Nodes,
        exercises: tuple[Exercise, ...],
        *,
        database: str,
        sandbox: str,
        seed: int,
        own_work: bool,
        say: Callable[[str], None],
    ) -> None:
        self._address = nodes.address
        self._setup = Setup(
            course=pack(exercises),
            exercises=tuple(exercise.name for exercise in exercises),
            home=nodes.home,
            database="embedded" if database == "auto" else database,
            sandbox=sandbox,
            seed=seed,
            own_work=own_work,
        )
        self._say = say
        self._run = secrets.token_hex(8)
        self._numbers = iter(range(1 << 62))

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            try:
                self._client = Client(self._address, timeout=_CONNECT_S, set_as_default=False)
            except (OSError, TimeoutError) as error:
                raise ClusterError(
                    f"No Dask scheduler answers at {self._address}. On one machine start: dask "
                    "scheduler; on each that is to grade: dask worker tcp://…, and name the "
                    "address that the former prints."
                ) from error
            stack.callback(self._close)
            addresses = self._nodes(_NODES_S)
            greetings = self._installed(addresses)
            self.evidence = _agreed(greetings)
            nodes = f"{len(greetings)} node" + ("s" if len(greetings) > 1 else "")
            self._say(f"Dask: {nodes} at {self._address}, each with a server of its own.")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, work: Work, done: Collection[DeskKey], gathered: Gathered) -> None:
        """See `grader.machine.Workplace`."""
        _Round(self, work, done, gathered).run()

    def submit(self, function: Callable[..., Any], *arguments: Any, **where: Any) -> Future:
        """Have a node run a function of `grader.cluster.node` on this grading."""
        key = f"kit-{self._run}-{function.__name__}-{next(self._numbers)}"
        return self._client.submit(function, self._run, *arguments, key=key, pure=False, **where)

    def threads(self) -> int:
        """How many submissions the nodes can grade at a time; 0 where there are no nodes."""
        return sum(self._client.nthreads().values())

    @property
    def is_connected(self) -> bool:
        """Whether the scheduler still answers."""
        return bool(self._client.status == "running")

    def install(self, address: str) -> None:
        """Get one node ready that has joined since. If it goes meanwhile, others do the work.

        Raises:
            ClusterError: its results would be others than those of the nodes that were there.
        """
        _agreed(self._installed([address]), self.evidence)

    def _installed(self, addresses: Collection[str]) -> dict[str, Greeting]:
        """What the nodes say of themselves, apart from those that have gone meanwhile."""
        futures = {
            address: self.submit(
                node.install, self._setup, workers=[address], allow_other_workers=False
            )
            for address in addresses
        }
        greetings: dict[str, Greeting] = {}
        until = time.monotonic() + _INSTALL_S
        for address, future in futures.items():
            with contextlib.suppress(TimeoutError, CancelledError, KilledWorker):
                while (
                    not future.done()
                    and time.monotonic() < until
                    and address in self._client.nthreads()
                ):
                    time.sleep(_GLANCE_S)
                greetings[address] = future.result(timeout=_GLANCE_S)
        return greetings

    def _nodes(self, patience_s: float) -> list[str]:
        until = time.monotonic() + patience_s
        while not (found := sorted(self._client.nthreads())):
            if time.monotonic() > until:
                raise ClusterError(
                    f"The scheduler at {self._address} has no workers. On each machine that is to "
                    f"grade start: dask worker {self._address}"
                )
            time.sleep(_GLANCE_S)
        return found

    def _close(self) -> None:
        """Have the nodes end what they have for this grading, and leave."""
        with contextlib.suppress(OSError, TimeoutError, CancelledError, RuntimeError, ValueError):
            self._client.run(node.close, self._run, on_error="ignore")
        self._client.close(timeout=_CONNECT_S)


class _Round:
    """One run of a work on a cluster."""

    def __init__(
        self, cluster: Cluster, work: Work, done: Collection[DeskKey], gathered: Gathered
    ) -> None:
        self._cluster = cluster
        self._gathered = gathered
        self._waiting = _orders(work, done)
        self._again: deque[Order] = deque()
        """Those whose nodes have ended again and again: they come last, one after the other."""
        self._tried: set[int] = set()
        self._out: dict[str, tuple[Future, Order]] = {}
        self._back: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._seen = time.monotonic()

    def run(self) -> None:
        try:
            while self._hand_out():
                try:
                    key = self._back.get(timeout=_LOOK_S)
                except queue.Empty:
                    self._look()
                    continue
                self._seen = time.monotonic()
                self._take(*self._out.pop(key))
        finally:
            for future, _ in self._out.values():
                future.cancel()

    def _hand_out(self) -> bool:
        """Keep the nodes busy; whether anything is on its way."""
        most = max(1, self._cluster.threads() * _AHEAD)
        while len(self._out) < most and (order := next(self._waiting, None)):
            self._send(order)
        if not self._out and self._again:
            self._send(self._again.popleft())
        return bool(self._out)

    def _send(self, order: Order) -> None:
        future = self._cluster.submit(node.grade_there, order)
        self._out[future.key] = future, order
        future.add_done_callback(lambda done: self._back.put(done.key))

    def _take(self, future: Future, order: Order) -> None:
        try:
            answer: Delivery | Absent = future.result()
        except KilledWorker:
            self._was_deadly(order)
        except CancelledError as error:
            raise ClusterError(_LEFT) from error
        else:
            if isinstance(answer, Absent):
                self._cluster.install(answer.address)
                if answer.lost:
                    self._was_deadly(order)
                else:
                    self._send(order)
            else:
                self._gather(answer)

    def _was_deadly(self, order: Order) -> None:
        """Nodes ended over it, or over another one that they had at the time: once more by itself,
        and then it is given up.
        """
        if order.number not in self._tried:
            self._tried.add(order.number)
            self._again.append(order)
            return
        for exercise, names in order.checks.items():
            for name in names:
                key = (order.number, exercise, name)
                self._gathered.problems[key] = "the machines that graded it have ended"

    def _gather(self, delivery: Delivery) -> None:
        for exercise, text in delivery.judged.items():
            for one in decoded(text):
                key = (delivery.number, exercise, one.result.name)
                self._gathered.add(key, one)
        for (exercise, name), why in delivery.problems.items():
            self._gathered.problems[delivery.number, exercise, name] = why

    def _look(self) -> None:
        """Nothing has come for a while: is anybody there?"""
        if not self._cluster.is_connected:
            raise ClusterError(_LEFT)
        if self._cluster.threads():
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > _GONE_S:
            raise ClusterError(
                "The scheduler has lost all its workers. Start some, and go on with --resume."
            )


_LEFT = "The connection to the Dask scheduler is lost. Once it is there again, go on with --resume."


def _orders(work: Work, done: Collection[DeskKey]) -> Iterator[Order]:
    checks = {e.name: tuple(spec.name for spec in work.specs(e)) for e in work.exercises}
    for number, submission in enumerate(work.submissions):
        files = {
            exercise.name: submission.files[exercise.name]
            for exercise in work.exercises
            if exercise.name in submission.files and (number, exercise.name) not in done
        }
        if files:
            asked = {name: checks[name] for name in files}
            yield Order(number, submission.student, files, asked, work.until_failure)


def _agreed(greetings: Mapping[str, Greeting], evidence: Evidence | None = None) -> Evidence:
    """What all nodes grade with.

    Raises:
        ClusterError: a node cannot grade, or grades with something else than the others, or than
            this machine.
    """
    ours = surroundings()
    for address, greeting in greetings.items():
        if greeting.evidence is None:
            raise ClusterError(f"The node {address} cannot grade: {greeting.problem}")
        theirs = greeting.evidence.surroundings
        if other := [
            f"{name} {theirs.get(name)}" for name in ours if theirs.get(name) != ours[name]
        ]:
            told = ", ".join(f"{name} {ours[name]}" for name in ours)
            raise ClusterError(
                f"The node {address} has {', '.join(other)}, and this machine has {told}. Results "
                "would depend on who graded: install the same on both."
            )
        evidence = evidence or greeting.evidence
        if greeting.evidence != evidence:
            raise ClusterError(
                f"The node {address} grades with {_told(greeting.evidence)}, and others with "
                f"{_told(evidence)}. Results would depend on who graded: install the same on all."
            )
    if evidence is None:
        raise ClusterError("The nodes that there were have gone. Start some, and try again.")
    return evidence


def _told(evidence: Evidence) -> str:
    return (
        f"kit {evidence.kit_version}, PostgreSQL {evidence.server_version} ({evidence.server}) and "
        f"the sandbox {evidence.sandbox}"
    )
