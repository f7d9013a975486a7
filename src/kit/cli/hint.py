"""``kit hint``: the next rung of a ladder of hints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kit.cli import options
from kit.cli.output import print_json, say
from kit.errors import KitError, WrongUsage

if TYPE_CHECKING:
    from rich.console import RenderableType

    from grader.results import Misconception
    from kit.hints import Found, Ladder, Rung
    from kit.journal import Event


@click.command("hint")
@click.argument("exercise", type=options.Exercise())
@click.argument("misconception", required=False)
@click.option("--again", is_flag=True, help="Show the hints that you have read, and no new one.")
@options.course
@options.as_json
def command(
    *,
    exercise: str,
    misconception: str | None,
    again: bool,
    course: Path | None,
    as_json: bool,
) -> int:
    """Get a hint for EXERCISE: first a question, then a pointer, then a worked step.

    Each call shows one more. A question that kit check has asked already is left out. The hint is
    about the first thing that the last kit check found, or about MISCONCEPTION, if you name one.

    \b
    Examples:
      kit hint 04
      kit hint 04 check-then-insert
      kit hint 04 --again
    """
    from grader.catalog import load_course
    from kit.course import find_root, resolve
    from kit.hints import ladder, last_found, named
    from kit.journal import journal

    root = find_root(named=course)
    (name,) = resolve(root, [exercise])
    loaded = load_course(root)
    known, events = loaded.misconceptions, journal().read()
    found = last_found(events, course=loaded.title, exercise=name, known=known)
    about = named(misconception, known) if misconception else _about(found, name, events, known)
    if about is None:
        return _nothing(found, name, as_json=as_json)
    where = ladder(events, course=loaded.title, exercise=name, misconception=about)
    rung = None if again else where.next
    if again and not where.read:
        msg = f"You have read no hint about this yet. kit hint {name[:2]} shows the first."
        raise WrongUsage(msg)
    others = [one for one in found.misconceptions if one != about.id]
    if as_json:
        print_json(_json(where, rung, others))
    else:
        _show(where, rung, others)
    if rung is not None:
        title = loaded.exercises[name].title if name in loaded.exercises else name
        _note(loaded.title, name, title, rung)
    return 0


def _about(
    found: Found, name: str, events: list[Event], known: Mapping[str, Misconception]
) -> Misconception | None:
    """The first that the last check found and whose ladder has a rung left; else the first."""
    from kit.hints import ladder

    if found.attempt is None:
        msg = (
            f"Hints are about what a check found, and {name} was not checked yet. "
            f"First: kit check {name[:2]}."
        )
        raise WrongUsage(msg)
    course = found.attempt.course
    ladders = [
        ladder(events, course=course, exercise=name, misconception=known[one])
        for one in found.misconceptions
    ]
    chosen = next((one for one in ladders if one.next), ladders[0] if ladders else None)
    return chosen.misconception if chosen else None


def _nothing(found: Found, name: str, *, as_json: bool) -> int:
    """There is no hint to give; 1 where there is still something to do."""
    text = (
        f"The last check of {name} found nothing wrong: you need no hint."
        if found.is_right
        else "There are no hints for what the last check found. Read its message and its question "
        f"again (kit check {name[:2]}), and the task in exercises/{name}/README.md."
    )
    if as_json:
        print_json({"exercise": name, "misconception": None, "hints": [], "said": text})
    else:
        click.echo(text)
    return 0 if found.is_right else 1


def _note(course: str, exercise: str, title: str, rung: Rung) -> None:
    from kit.journal import Hint, journal

    event = Hint(
        course=course,
        exercise=exercise,
        title=title,
        misconception=rung.misconception.id,
        rung=rung.number,
    )
    try:
        journal().add(event)
    except KitError as error:
        say(f"This hint could not be noted: {error}")


def _show(where: Ladder, rung: Rung | None, others: list[str]) -> None:
    from rich.console import Group

    from kit.cli.console import KitConsole

    KitConsole().print(Group(*_lines(where, rung, others)))


def _lines(where: Ladder, rung: Rung | None, others: list[str]) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    number, page = where.exercise[:2], f"docs/misconceptions/{where.misconception.id}.md"
    total = len(where.rungs)
    head = Text(f"{where.exercise}  ", style="bold").append("about the belief that ", "not bold")
    yield head.append(f"“{where.misconception.title}”", "not bold")
    for one in [rung] if rung else where.read:
        yield Text(f"\nHint {one.place} of {total}, {one.kind}:", style="dim")
        yield Padding(_prose(one.text), (0, 0, 0, 2))
    yield Text()
    if rung is None:
        more = where.next is not None
        left = (
            f"kit hint {number} shows the next one." if more else f"There is no more. Read {page}."
        )
        yield Text(f"You have read {'these' if len(where.read) > 1 else 'this one'}. {left}")
    elif above := where.after(rung):
        yield Text(
            f"Try it, then kit check {number}. Still stuck? kit hint {number} shows {above.kind}."
        )
    else:
        yield Text(
            f"Try it, then kit check {number}. That was the last hint; the whole story is in "
            f"{page}."
        )
    if others:
        named = ", ".join(f"kit hint {number} {one}" for one in others)
        yield Text(f"The check also found something else: {named}", style="dim")


def _prose(text: str) -> RenderableType:
    """A hint's text, with what stands between backticks in the color of code."""
    from rich.text import Text

    shown = Text(text)
    shown.highlight_regex("`[^`]+`", "cyan")
    return shown


def _json(where: Ladder, rung: Rung | None, others: list[str]) -> dict[str, Any]:
    return {
        "exercise": where.exercise,
        "misconception": where.misconception.id,
        "title": where.misconception.title,
        "hints": [
            {"number": one.place, "kind": one.kind, "text": one.text}
            for one in [*where.read, *([rung] if rung else [])]
        ],
        "of": len(where.rungs),
        "also_found": others,
    }
