"""Every command is quick to reach, has help with an example, and is documented."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from kit.cli.commands import COMMANDS
from kit.cli.commands import kit as root_command
from tests.kit.conftest import PROJECT, Ended, Kit

Inside = Callable[..., Ended]
PAGE = PROJECT / "docs" / "cli.md"

HEAVY = {
    "rich",
    "sqlalchemy",
    "psycopg",
    "pytest",
    "alembic",
    "jinja2",
    "pydantic",
    "docker",
    "psutil",
}


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Every command by the words that one types, groups included."""
    context = click.Context(root_command)
    for name in root_command.list_commands(context):
        command = root_command.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for inner, subcommand in command.commands.items():
                yield f"{name} {inner}", subcommand


EVERY = dict(all_commands())


def test_every_module_of_a_command_is_listed() -> None:
    holding = {
        path.stem
        for path in (PROJECT / "src" / "kit" / "cli").glob("*.py")
        if re.search(r"^def command\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert holding == set(COMMANDS)


@pytest.mark.parametrize("name", EVERY)
def test_every_command_explains_itself_with_an_example(inside: Inside, name: str) -> None:
    ended = inside(*name.split(), "--help")
    assert ended.code == 0
    assert "Example" in ended.out
    assert f"kit {name}" in ended.out.partition("Example")[2]
    command = EVERY[name]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{name} {parameter.opts[0]} has no help"


@pytest.mark.parametrize("name", EVERY)
def test_every_command_is_documented_with_all_its_options(name: str) -> None:
    section = section_of(name)
    for parameter in EVERY[name].params:
        if isinstance(parameter, click.Option):
            assert f"`{max(parameter.opts, key=len)}" in section, parameter.opts


def test_the_page_documents_no_command_that_is_not_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"^##+ `kit ([a-z ]+)`", page, re.MULTILINE)) == set(EVERY)


def test_every_command_line_in_the_page_is_one_that_kit_understands() -> None:
    page = PAGE.read_text(encoding="utf-8")
    lines = re.findall(r"^kit (.+)$", page, re.MULTILINE)
    assert len(lines) >= len(EVERY)
    for line in lines:
        words = line.partition("#")[0].split()
        name = " ".join(words[:2]) if " ".join(words[:2]) in EVERY else words[0]
        command = EVERY[name]
        known = {option for p in command.params for option in p.opts} | {"--help"}
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        passes_on = command.context_settings.get("ignore_unknown_options", False)
        assert passes_on or used <= known, line


def test_help_of_kit_names_every_command(inside: Inside) -> None:
    ended = inside("--help")
    for name in COMMANDS:
        assert re.search(rf"^  {name} +\S", ended.out, re.MULTILINE)


@pytest.mark.parametrize(
    "words", ["--help", "grade --help", "db --help", "--version", "db nothing"]
)
def test_help_loads_nothing_heavy(kit: Kit, words: str) -> None:
    program = (
        "import json, sys; from kit.cli import main; main(sys.argv[1:]);"
        "print(json.dumps(sorted(name.partition('.')[0] for name in sys.modules)))"
    )
    ended = kit.run([*kit.command()[:1], "-c", program, *words.split()])
    loaded = set(json.loads(ended.out.splitlines()[-1]))
    assert "click" in loaded
    assert loaded & (HEAVY | {"pglab", "grader", "tracker"}) == set()


def test_kit_alone_shows_the_help(inside: Inside) -> None:
    ended = inside()
    assert ended.code == 2
    assert "Commands:" in ended.out + ended.err


def test_a_misspelled_command_brings_up_the_right_one(inside: Inside) -> None:
    ended = inside("chek")
    assert ended.code == 2
    assert "Did you mean 'check'?" in ended.err


def test_the_version_is_the_packages(inside: Inside) -> None:
    from importlib.metadata import version

    assert inside("--version").out == f"kit {version('kit')}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_gets_a_completion_script(kit: Kit, shell: str) -> None:
    ended = kit(_KIT_COMPLETE=f"{shell}_source")
    assert ended.code == 0
    assert "_KIT_COMPLETE" in ended.out


def test_completion_offers_commands_and_exercises(kit: Kit, course: Path) -> None:
    def offered(line: str) -> list[str]:
        words = {"_KIT_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": "2"}
        return [item.split(",")[1] for item in kit(cwd=course, **words).out.split()]

    assert offered("kit check 0") == ["04_repository", "08_n_plus_one"]
    assert offered("kit db u") == ["up", "url"]


def test_an_unforeseen_failure_shows_no_stack_and_names_the_file(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode() -> None:
        raise ZeroDivisionError("odd")

    monkeypatch.setattr("kit.doctor.examine", explode)
    ended = inside("doctor", KIT_HOME=str(tmp_path / "home"))
    assert ended.code == 3
    assert "Traceback" not in ended.err
    (report,) = (tmp_path / "home" / "crashes").iterdir()
    assert str(report) in ended.err


def test_without_click_the_message_says_how_to_install(kit: Kit) -> None:
    program = "import sys; sys.modules['click'] = None; from kit.cli import main; sys.exit(main())"
    ended = kit.run([*kit.command()[:1], "-c", program])
    assert ended.code == 3
    assert "click" in ended.err
    assert "Traceback" not in ended.err


def section_of(name: str) -> str:
    page = PAGE.read_text(encoding="utf-8")
    _, found, rest = page.partition(f" `kit {name}`\n")
    assert found, f"docs/cli.md has no section on kit {name}"
    return re.split(r"^##", rest, maxsplit=1, flags=re.MULTILINE)[0]
