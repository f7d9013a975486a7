"""The process sandbox: limits on time and resources, and nothing more. For your own work."""

from __future__ import annotations

from collections.abc import Sequence

from grader.sandbox.zygote import ZygoteSandbox


class ProcessSandbox(ZygoteSandbox):
    """A child process. It can read whatever its user can read."""

    name = "process"
    isolated = False

    @property
    def socket_dir_inside(self) -> str:
        return str(self._socket_dir)

    def _command(self, worker: Sequence[str], control: int) -> list[str]:
        return list(worker)
