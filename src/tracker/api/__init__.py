"""The tracker's HTTP API: FastAPI over a `tracker.stores.Store`.

It has no sign-in: whoever reaches it may do everything. It is made to be reached from this machine
only, and `kit serve` sees to that.
"""

from tracker.api.application import create_app

__all__ = ["create_app"]
