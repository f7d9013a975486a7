"""Output whose lines no runner of workflows takes for commands, whatever a submission printed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment

from grader.reports.workflow import harmless


class Inert:
    """A renderable with its lines made harmless: lookalikes of the same width stand in.

    Only rendered lines show what stands at a line's start.

    Args:
        content: what to render.
    """

    def __init__(self, content: RenderableType) -> None:
        self._content = content

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in console.render_lines(self._content, options, pad=False):
            yield from _harmless(line)
            yield Segment.line()


def _harmless(line: Iterable[Segment]) -> Iterator[Segment]:
    segments = [segment for segment in line if not segment.control]
    plain = harmless("".join(segment.text for segment in segments))
    start = 0
    for segment in segments:
        end = start + len(segment.text)
        yield Segment(plain[start:end], segment.style)
        start = end
