"""The application: its routes, its errors, its store."""

from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Response
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import RedirectResponse
from fastapi_offline import FastAPIOffline

from tracker.api import learning, payments, problems, tracks, users
from tracker.health import Status
from tracker.stores import Store

LARGEST_BODY = 16 * 1024 * 1024  # bytes
LOCAL = ("127.0.0.1", "localhost", "[::1]", "::1", "testserver")


def create_app(store: Store, *, hosts: tuple[str, ...] = LOCAL) -> FastAPI:
    """Make the application.

    Arguments:
        store: where the data is.
        hosts: the names by which the application may be called. A web page of somebody else that
            makes its own name point at this machine is turned away (DNS rebinding).
    """
    # FastAPI's own page at /docs would load its scripts from the internet.
    app = FastAPIOffline(
        title="Learning tracker",
        version="1",
        description="Users, tracks and lessons, and who has learned what.",
        # Redirects from /users/ to /users would hide a wrong address until the store changes.
        redirect_slashes=False,
        max_body_size=LARGEST_BODY,
        redoc_url=None,
    )
    app.state.store = store
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    routers = (users.router, tracks.router, learning.router, payments.router)
    for router in routers:
        app.include_router(router)
    problems.install(app, [route for router in routers for route in router.routes])

    @app.get("/", include_in_schema=False)
    def front_door() -> RedirectResponse:
        """Show whoever opens the address in a browser what is here."""
        return RedirectResponse("/docs")

    @app.get("/healthz", tags=["health"], responses={503: {"description": "It does not answer"}})
    def healthz(response: Response) -> dict[str, Any]:
        """Tell whether the database answers: connected, disabled (in memory) or error."""
        health = store.health()
        if health.status is Status.ERROR:
            response.status_code = 503
        return {"checks": {"database": asdict(health)}}

    return app
