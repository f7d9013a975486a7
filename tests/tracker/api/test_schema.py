"""The OpenAPI document is true: what it allows is accepted, what it forbids is refused.

Schemathesis makes requests from the document, the hostile ones too, and holds every answer against
it. It also walks from one answer to the next: what was just made is read, changed and removed.
"""

from collections.abc import Iterator

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from sqlalchemy import text

from pglab.scratch import Scratch
from tracker.api import create_app
from tracker.db import make_engine
from tracker.stores import MemoryStore, PostgresStore

bounded = settings(
    max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
# Whoever has not paid is told so, however right the request.
accepted = {"expected-statuses": ["2xx", "402", "404", "409"]}
CONFIG = SchemathesisConfig.from_dict({"checks": {"positive_data_acceptance": accepted}})


@pytest.fixture(scope="module", params=["memory", "postgres"])
def app(request: pytest.FixtureRequest, scratch: Scratch, template: str) -> Iterator[FastAPI]:
    if request.param == "memory":
        yield create_app(MemoryStore())
        return
    database = scratch.clone(template)
    engine = make_engine(database.url)
    yield create_app(PostgresStore(engine))
    engine.dispose()
    database.drop()


@pytest.fixture(scope="module")
def api_schema(app: FastAPI) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_asgi("/openapi.json", app, config=CONFIG)


def operations() -> Iterator[tuple[str, str, GenerationMode]]:
    """Every operation: with what it allows, and, where it takes anything, what it forbids."""
    for path, item in create_app(MemoryStore()).openapi()["paths"].items():
        for method, operation in item.items():
            yield method, path, GenerationMode.POSITIVE
            if operation.keys() & {"parameters", "requestBody"}:
                yield method, path, GenerationMode.NEGATIVE


@pytest.mark.parametrize(("method", "path", "mode"), list(operations()))
def test_every_operation_keeps_its_word(
    api_schema: schemathesis.BaseSchema, method: str, path: str, mode: GenerationMode
) -> None:
    operation = api_schema[path][method]

    @bounded
    @given(operation.as_strategy(generation_mode=mode))
    def keeps_its_word(case: schemathesis.Case) -> None:
        case.call_and_validate()

    keeps_its_word()


def test_every_chain_of_operations_keeps_its_word(
    api_schema: schemathesis.BaseSchema, app: FastAPI
) -> None:
    class Chain(api_schema.as_state_machine()):
        def setup(self) -> None:
            """Begin with an empty store, or what one chain left would decide about the next."""
            if isinstance(app.state.store, MemoryStore):
                app.state.store = MemoryStore()
                return
            with app.state.store.engine.begin() as connection:
                connection.execute(text("TRUNCATE users, tracks, certificates, payments CASCADE"))

    Chain.run(settings=settings(bounded, stateful_step_count=10))
