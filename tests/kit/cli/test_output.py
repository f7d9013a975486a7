"""Output in any encoding, and nothing but results on standard output."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import pytest

from tests.kit.conftest import Kit

WRITE = r"""
import sys
from kit.cli.output import prepare_streams, print_json, say
prepare_streams()
print("René → “ok” ✓ 日 \udcff")
print_json({"name": "René \udcff"})
say("done…")
"""


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "write.py"
    path.write_text(WRITE, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}],
    ids=["PYTHONIOENCODING", "LC_ALL"],
)
def test_an_encoding_that_lacks_a_character_gets_its_plain_form(
    kit: Kit, script: str, environment: dict[str, str]
) -> None:
    ended = kit.run([sys.executable, script], **environment)
    first, *document = ended.out.splitlines()
    assert first == 'Rene -> "ok" + ? ?'
    assert json.loads("\n".join(document)) == {"name": "René \udcff"}
    assert ended.err == "done...\n"
    assert ended.code == 0


def test_utf8_output_is_left_as_it_is(kit: Kit, script: str) -> None:
    ended = kit.run([sys.executable, script], PYTHONIOENCODING="utf-8")
    assert ended.out.startswith("René → “ok” ✓ 日 ?\n")
    assert '"René' in ended.out


TABLE = """
from rich.table import Table
from kit.cli.console import KitConsole
table = Table(box=None, expand=True)
table.add_column("Wide", ratio=1)
table.add_column("Empty", width=9)
table.add_row("  [b]left[/]", "")
KitConsole().print(table)
"""


def test_no_line_in_a_pipe_ends_in_spaces_and_on_a_terminal_the_table_is_whole(
    kit: Kit, tmp_path: Path
) -> None:
    path = tmp_path / "table.py"
    path.write_text(TABLE, encoding="utf-8")
    piped = kit.run([sys.executable, str(path)], COLUMNS="40").out
    assert [line.split() for line in piped.splitlines()] == [["Wide", "Empty"], ["left"]]
    assert piped.splitlines()[1] == "   left"
    shown = click.unstyle(kit.run([sys.executable, str(path)], COLUMNS="40", FORCE_COLOR="1").out)
    assert {len(line) for line in shown.splitlines()} == {40}
