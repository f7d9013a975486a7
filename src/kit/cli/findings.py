"""The doctor's findings on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from kit.cli.console import KitConsole
from kit.cli.endings import plain
from kit.doctor import Finding, Status

STYLES = {Status.OK: "green", Status.INFO: "cyan", Status.WARN: "yellow", Status.BAD: "bold red"}
INDENT = 18
"""Columns left of the facts: the status and the name of what was looked at."""


def show_finding(finding: Finding) -> None:
    """Print one finding: the fact, and where something is wrong what it means and the cure."""
    console = KitConsole()
    lines = [finding.found]
    if finding.meaning:
        lines.append(finding.meaning)
    if finding.cure:
        lines.append(f"Cure: {finding.cure}")
    head = Text.assemble(
        (f"{finding.status:<5}", STYLES[finding.status]), f"{finding.name:<{INDENT - 5}}"
    )
    for text in Text(plain("\n".join(lines))).wrap(console, max(30, console.width - INDENT)):
        text.rstrip()
        console.print(head + text)
        head = Text(" " * INDENT)


def show_verdict(findings: Sequence[Finding]) -> None:
    """Print the last line: is this machine fit for the kit?"""
    bad = [f.name for f in findings if f.status is Status.BAD]
    warned = [f.name for f in findings if f.status is Status.WARN]
    console = KitConsole()
    console.print()
    if bad:
        console.print(
            f"The kit cannot work here until this is cured: {', '.join(bad)}.", style="bold red"
        )
    elif warned:
        console.print(f"The kit works here. Worth a look: {', '.join(warned)}.")
    else:
        console.print("The kit works here.", style="green")
