"""The pages that describe the API come from this machine, whole."""

import re

from fastapi.testclient import TestClient


def test_the_front_door_leads_to_the_description(client: TestClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.url.path) == (200, "/docs")
    assert "text/html" in answer.headers["content-type"]


def test_the_description_needs_no_internet(client: TestClient) -> None:
    page = client.get("/docs").text
    named = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert len(named) >= 2
    for path in named:
        assert path.startswith("/"), path
        assert not path.startswith("//"), path
        assert client.get(path).status_code == 200, path
    assert "http" not in page.replace("http-equiv", "")
