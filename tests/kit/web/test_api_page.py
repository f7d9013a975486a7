"""The page that describes the API, where there is no internet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from kit.web.server import listen
from tests.kit.web.conftest import answering
from tracker.api import create_app
from tracker.stores import MemoryStore


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with listen("127.0.0.1", 0) as listening, answering(create_app(MemoryStore()), listening):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.browser
def test_the_api_is_described_and_tried_out_with_no_internet(address: str, page: Page) -> None:
    page.goto(f"{address}/docs")
    health = page.locator("#operations-health-healthz_healthz_get")
    health.get_by_role("button").first.click()
    health.get_by_role("button", name="Try it out").click()
    health.get_by_role("button", name="Execute").click()
    expect(health.locator(".live-responses-table")).to_contain_text("disabled")
