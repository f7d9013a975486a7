"""Reports as their readers take them apart, and what of a submission they took for more than text.

A browser, a spreadsheet, a terminal and a runner of workflows obey what they read. Each reader here
gives the text that is shown, and a list of what would have been obeyed.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

from markdown_it import MarkdownIt

from tests.grader.reports.runner import obeyed

_ACTIVE = frozenset(
    {"script", "img", "iframe", "object", "embed", "form", "input", "button", "video", "base"}
)
_SUITES = frozenset(
    {"testsuites", "testsuite", "properties", "property", "testcase", "failure", "error"}
    | {"skipped", "system-out"}
)
_FORMULAS = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
_OUR_COMMANDS = frozenset({"error", "warning", "notice"})
_DIRECTIONS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# "data:," is nothing at all: so a browser asks nobody for an icon.
_LEADS_AWAY = re.compile(r"\s*(javascript:|data:(?!,\Z)|https?:)", re.IGNORECASE)
_TEXT_FORMATS = frozenset({"text"})


@dataclass
class Seen:
    """What a reader made of a report."""

    text: str = ""
    """What it shows, with nothing escaped."""
    taken: list[str] = field(default_factory=list)
    """What it would have obeyed, or could not read."""


class _Browser(HTMLParser):
    """A page as a browser takes it apart."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen = Seen()
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        if tag in _ACTIVE:
            self.seen.taken.append(f"the element {tag}")
        for name, value in attrs:
            if name.startswith("on") or _LEADS_AWAY.match(value or ""):
                self.seen.taken.append(f"{tag}: {name}={value}")
            self.seen.text += f" {value} " if name == "title" else ""

    def handle_data(self, data: str) -> None:
        inside = self._inside[-1] if self._inside else ""
        if inside in {"b", "strong", "em", "h1", "h2"} and data.strip().startswith("forged"):
            self.seen.taken.append(f"{inside}: {data.strip()}")
        self.seen.text += data

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_comment(self, data: str) -> None:
        self.seen.taken.append(f"a comment: {data}")


def html(source: str) -> Seen:
    """A page."""
    browser = _Browser()
    browser.feed(source)
    browser.close()
    return browser.seen


def xml(source: str) -> Seen:
    """A report of JUnit's."""
    seen = Seen()
    try:
        root = ET.fromstring(source)
    except ET.ParseError as error:
        return Seen(taken=[f"not XML: {error}"])
    for element in root.iter():
        if element.tag not in _SUITES or element.get("name", "").startswith("forged"):
            seen.taken.append(f"the element {element.tag} {element.attrib}")
        seen.text += " ".join([element.text or "", *element.attrib.values(), ""])
    return seen


def table(source: str) -> Seen:
    """A table in a spreadsheet, which may split at other separators than ours."""
    seen = Seen(source)
    for delimiter in ",;\t|":
        for row in csv.reader(io.StringIO(source, newline=""), delimiter=delimiter):
            formulas = [cell for cell in row if cell.lstrip(" ").startswith(_FORMULAS)]
            seen.taken += [f"a formula: {cell}" for cell in formulas]
    return seen


def document(source: str) -> Seen:
    """A document in JSON, whose readers are told of every text that it is no markup."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        whole = json.loads(source, parse_constant=refuse)
    except ValueError as error:
        return Seen(taken=[f"not JSON: {error}"])
    texts = list(_texts(whole, ""))
    formats = [f"{key}: {text}" for key, text in texts if key.endswith("_format")]
    wrong = [told for told in formats if told.split(": ")[1] not in _TEXT_FORMATS]
    return Seen("\n".join(text for _, text in texts), wrong)


def _texts(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, key)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield "", name
            yield from _texts(item, name)


def markdown(source: str) -> Seen:
    """A summary, which GitHub turns into a page."""
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    seen = html(parser.render(source))
    seen.taken += [f"a command: {command}" for command in obeyed(source)]
    return seen


def log(source: str) -> Seen:
    """The log of a runner of workflows. Our own commands have a title."""
    commands = obeyed(source)
    taken = [c for c in commands if c.name not in _OUR_COMMANDS or not c.properties.get("title")]
    return Seen(source, [f"a command: {command}" for command in taken])


def terminal(source: str) -> Seen:
    """What is printed: whatever terminal it is printed on may belong to a runner too."""
    return Seen(source, [f"a command: {command}" for command in obeyed(source)])


READERS: dict[str, Callable[[str], Seen]] = {
    ".html": html,
    ".xml": xml,
    ".csv": table,
    ".json": document,
    ".md": markdown,
    ".txt": log,
    "": terminal,
}
"""By the suffix of a file; what has none is printed."""


def read(source: str, suffix: str) -> Seen:
    """A report as it is read. Nobody's reader may find characters that control it."""
    seen = READERS[suffix](source)
    wrong = {c for c in source + seen.text if c in _DIRECTIONS or _controls(c)}
    seen.taken += [f"a control character: {c!r}" for c in sorted(wrong)]
    return seen


def _controls(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\r\t"
