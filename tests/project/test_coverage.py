"""Every place that docs/coverage.md names is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import pytest

from kit.cli.commands import kit

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (?!topic |---)(?P<topic>[^|]+) \| (?P<places>[^|]+) \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs" / "coverage.md").read_text("utf-8"))


def is_there(place: str) -> bool:
    kind, _, rest = place.partition(" ")
    match kind:
        case "notebook":
            return len(list((ROOT / "notebooks").glob(f"{rest}_*.ipynb"))) == 1
        case "exercise":
            return all(
                len(list((ROOT / held).glob(f"{rest}_*/"))) == 1
                for held in ("exercises", "solutions")
            )
        case "kit":
            return is_command(rest.split())
    return (ROOT / place).is_file() if "/" in place else is_name(place)


def is_command(words: list[str]) -> bool:
    command: click.Command | None = kit
    context = click.Context(kit)
    for word in words:
        if word.startswith("--"):
            return any(word in option.opts for option in command.params)
        assert isinstance(command, click.Group), f"{word} is no command of {command.name}"
        command = command.get_command(context, word)
        if command is None:
            return False
    return True


def is_name(dotted: str) -> bool:
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize(("topic", "places"), ROWS, ids=[topic[:50] for topic, _ in ROWS])
def test_a_topic_is_where_the_page_says(topic: str, places: str) -> None:
    named = re.findall(r"`([^`]+)`", places)
    assert named, f"No place is named for: {topic}"
    assert [place for place in named if not is_there(place)] == []


def test_what_is_not_there_is_found_missing() -> None:
    assert len(ROWS) > 50
    for place in ("notebook 99", "exercise 99", "kit db fly", "kit db up --fly", "bench/fly.py",
                  "tracker.models.Fly", "fly.away"):  # fmt: skip
        assert not is_there(place), place
