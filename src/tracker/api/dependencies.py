"""What routes ask for."""

from typing import Annotated

from fastapi import Depends, Request

from tracker.stores import Store


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


TheStore = Annotated[Store, Depends(_store)]
