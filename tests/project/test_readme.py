"""What the README tells people to type exists, and its links lead somewhere."""

import re
import xml.etree.ElementTree as ET

import click
import pytest

from kit.cli.commands import kit


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


def shown_commands(readme: str) -> list[list[str]]:
    """The words of each line that the README shows after a prompt, without its comment."""
    lines = re.findall(r"^[$>] (.+)$", readme, re.MULTILINE)
    return [line.split("  #")[0].split() for line in lines]


def test_the_first_screen_holds_the_commands_and_a_picture(readme):
    first = "\n".join(readme.splitlines()[:12])
    for wanted in ("$ make grade", "$ make test", "$ make lab", "docs/images/grade.svg"):
        assert wanted in first


def test_every_target_that_is_shown_is_in_the_makefile(readme, root):
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = [words[1] for words in shown_commands(readme) if words[0] == "make"]
    assert {"grade", "test", "lab"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_command_of_the_kit_that_is_shown_exists(readme):
    shown = [" ".join(words) for words in shown_commands(readme)]
    found = [re.search(r"(?:bin/kit|python -m kit) (.+)", line) for line in shown]
    calls = [match.group(1).split() for match in found if match]
    assert len(calls) >= 5
    for words in calls:
        command: click.Command = kit
        context = click.Context(kit)
        for word in words:
            if not isinstance(command, click.Group):
                break
            inner = command.get_command(context, word)
            assert inner is not None, " ".join(words)
            command = inner
        options = {name for one in command.params for name in one.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_every_link_and_picture_is_there(readme, root):
    links = re.findall(r"\]\(([^)#]+)\)", readme)
    local = [link for link in links if "://" not in link]
    assert len(local) >= 5
    assert not [link for link in local if not (root / link).exists()]


def test_every_place_in_the_table_of_the_tree_is_there(readme, root):
    tree = readme.split("## Where things are")[1].split("```")[1]
    places = re.findall(r"([\w.]+(?:/\w+)*)/ ", tree)
    assert len(places) >= 10
    assert not [place for place in places if not (root / place).is_dir()]


def test_the_picture_shows_the_sample_class_and_loads_nothing(root):
    svg = (root / "docs/images/grade.svg").read_text(encoding="utf-8")
    words = " ".join(ET.fromstring(svg).itertext())
    for student in (root / "samples/class").iterdir():
        assert student.name in words
    assert "url(http" not in svg
    assert "@font-face" not in svg
