"""``kit db studio`` as a process; what it shows is in tests/kit/web/test_studio.py."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from kit.web import server as webserver
from tests.kit.cli.test_serve import ask
from tests.kit.conftest import Kit


def test_the_studio_opens_for_who_has_the_whole_address(kit: Kit, learners_home: Path) -> None:
    process = subprocess.Popen(
        kit.command("db", "studio", "--no-browser"),
        env=kit.environment | {"PYTHONUNBUFFERED": "1", "KIT_HOME": str(learners_home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        answer = ask("GET", address)
        assert answer.status_code == 303
        assert ask("GET", address.partition("?")[0]).status_code == 403
        process.send_signal(signal.SIGTERM)
        _out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 143
    assert "Rows can be read only" in err
    assert "token" not in err


def test_a_taken_port_is_named_before_anything_is_started(kit: Kit, kit_home: Path) -> None:
    with webserver.listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        ended = kit("db", "studio", "--no-browser", "--port", port)
    assert ended.code == 2
    assert f"Port {port} is in use" in ended.err
    assert not kit_home.exists()
