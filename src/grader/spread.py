"""How a grading is spread over processes, by pytest-xdist."""

from __future__ import annotations

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling
from xdist.workermanage import WorkerController


class OneDeskOneProcess(LoadScopeScheduling):  # type: ignore[misc]  # xdist's own is untyped
    """Everything of one submission at one exercise in one process; what a process that dies leaves
    goes to others.

    The class it extends gives the item that killed a process to the next process too, and keeps
    waiting where a new process is given a single last item. Here that item is lost, and nothing
    else is.
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

    def schedule(self) -> None:
        """Give work to processes that have just come, and tell all where nothing more will."""
        super().schedule()
        if not self.workqueue:
            for node in self.nodes:
                if node in self.registered_collections:
                    node.shutdown()

    def _reschedule(self, node: WorkerController) -> None:
        """Give a process more work, once it has said what it can do."""
        if node in self.registered_collections:
            super()._reschedule(node)


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneDeskOneProcess:
    """Called by pytest-xdist."""
    return OneDeskOneProcess(config, log)
