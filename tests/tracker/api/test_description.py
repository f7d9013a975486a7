"""The pages that describe the API come from this machine, whole."""

import re

from fastapi.testclient import TestClient


def test_the_description_needs_no_internet(client: TestClient) -> None:
    page = client.get("/docs").text
    named = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert len(named) >= 2
    for path in named:
        assert path.startswith("/"), path
        assert not path.startswith("//"), path
        assert client.get(path).status_code == 200, path
    assert "http" not in page.replace("http-equiv", "")
