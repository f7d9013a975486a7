"""``kit db``: the checklists, on a real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from pglab.servers.durable import DurableServer
from tests.kit.conftest import Ended

Db = Callable[..., Ended]


def states(ended: Ended) -> dict[str, str]:
    return {item["name"]: item["state"] for item in json.loads(ended.out)}


@pytest.mark.usefixtures("tracker")
def test_daily_knows_of_the_last_backup(db: Db, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    before = db("daily", "--json", "--backups", str(folder))
    assert states(before)["Backup"] == "unknown"
    assert db("backup", "--to", str(folder)).code == 0
    assert states(db("daily", "--json", "--backups", str(folder)))["Backup"] == "ok"
    (manifest,) = folder.glob("*/manifest.json")
    data = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(data | {"created_at": "2026-01-01T00:00:00Z"}), encoding="utf-8")
    old = db("daily", "--backups", str(folder))
    assert old.code == 1
    assert "attention  Backup" in old.out
    assert "hours old" in old.out


def test_weekly_says_what_needs_attention_and_refresh_cures_the_views(
    db: Db, tracker: psycopg.Connection, server: DurableServer
) -> None:
    tracker.execute("DELETE FROM view_refreshes")
    ended = db("weekly", "--json")
    assert ended.code == 1
    assert states(ended)["Views"] == "attention"
    refreshed = db("refresh")
    assert (refreshed.code, refreshed.err) == (0, "")
    assert "track_completion" in refreshed.out
    assert states(db("weekly", "--json"))["Views"] == "ok"


@pytest.mark.usefixtures("tracker")
def test_a_new_database_needs_no_attention(db: Db) -> None:
    assert db("reset", "--yes").code == 0
    ended = db("weekly", "--json")
    found = {item["name"]: item for item in json.loads(ended.out)}
    assert [name for name, item in found.items() if item["state"] == "attention"] == []
    assert found["Unused indexes"]["state"] == "unknown"
    assert " 0 rows" not in found["Growth"]["found"]
    assert ended.code == 0


@pytest.mark.usefixtures("tracker")
def test_the_checklists_are_told_to_people_too(db: Db) -> None:
    told = db("weekly").out
    assert "Bloat" in told
    assert "Growth" in told
