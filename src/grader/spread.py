"""How a grading is spread over processes, by pytest-xdist."""

from __future__ import annotations

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling
from xdist.workermanage import WorkerController

_ENOUGH = 2


class OneDeskOneProcess(LoadScopeScheduling):  # type: ignore[misc]  # xdist's own is untyped
    """Everything of one submission at one exercise in one process; what a process that dies leaves
    goes to others.

    The class it extends gives the item that killed a process to the next process too, and waits for
    ever where a new process is given a single item. Here that item is lost, and nothing else is.
    """

    def remove_node(self, node: WorkerController) -> str | None:
        """Take a process off, and give the others what it had not done.

        Returns:
            The item that it was busy with; None where it had done everything.
        """
        units: dict[str, dict[str, bool]] = self.assigned_work.pop(node)
        left = [item for unit in units.values() for item, done in unit.items() if not done]
        if not left:
            return None
        for scope, unit in units.items():
            rest = {item: False for item, done in unit.items() if not done and item != left[0]}
            if rest:
                self.workqueue[scope] = rest
        for other in self.nodes:
            self._reschedule(other)
        return left[0]

    def _reschedule(self, node: WorkerController) -> None:
        """Give a process enough to go on with, once it has said what it can do.

        A process begins an item when it knows the one after it, or that there is none. So it needs
        two of them, and where nothing is left to give, all must be told.
        """
        if node not in self.registered_collections:
            return
        while self.workqueue and not node.shutting_down and self._left_of(node) < _ENOUGH:
            self._assign_work_unit(node)
        if not self.workqueue:
            for each in self.nodes:
                if each in self.registered_collections:
                    each.shutdown()

    def _left_of(self, node: WorkerController) -> int:
        return int(self._pending_of(self.assigned_work[node]))


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneDeskOneProcess:
    """Called by pytest-xdist."""
    return OneDeskOneProcess(config, log)
