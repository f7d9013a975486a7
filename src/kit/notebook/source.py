"""Notebooks as text that people write, and back.

``python -m kit.notebook.source notebooks/05_crud.ipynb`` prints a notebook as text;
``python -m kit.notebook.source crud.txt notebooks/05_crud.ipynb`` makes one of text. Each cell
begins with a line ``=== TYPE ID TAGS``. Outputs are not in the text: a cell whose source is the
same keeps those that the notebook has.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat

from kit.notebook.storing import METADATA

_HEADER = re.compile(
    r"^=== (?P<type>markdown|code) (?P<id>[a-z][a-z0-9-]{0,63})(?P<tags>( [\w-]+)*)$"
)


class NotNotebookText(ValueError):
    """The text is not a notebook; the message names the line."""


def to_text(notebook: Any) -> str:
    """A notebook's cells as text, without outputs."""
    return "\n\n".join(_cell_text(cell) for cell in notebook.cells) + "\n"


def to_notebook(text: str, before: Any = None) -> Any:
    """The notebook that a text describes.

    Args:
        text: cells, each below its header line.
        before: a notebook whose outputs are kept for cells whose id and source are the same.

    Raises:
        NotNotebookText: a header is wrong, an id is there twice, or there are no cells.
    """
    old = {cell.id: cell for cell in before.cells} if before else {}
    cells: list[Any] = []
    for kind, name, tags, source in _cells(text):
        if any(cell.id == name for cell in cells):
            msg = f"The id {name} is there twice. Each cell needs one of its own."
            raise NotNotebookText(msg)
        make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
        cell = make(source, id=name, metadata={"tags": tags} if tags else {})  # type: ignore[no-untyped-call]
        same = old.get(name)
        if same is not None and same.cell_type == kind == "code" and same.source == source:
            cell.outputs, cell.execution_count = same.outputs, same.execution_count
        cells.append(cell)
    if not cells:
        msg = "There are no cells. Each begins with a line such as: === markdown title"
        raise NotNotebookText(msg)
    made = nbformat.v4.new_notebook(cells=cells, metadata=METADATA)  # type: ignore[no-untyped-call]
    made.nbformat_minor = 5
    return made


def _cell_text(cell: Any) -> str:
    words = ["===", cell.cell_type, cell.id, *cell.metadata.get("tags", [])]
    source = "\n".join(
        f"\\{line}" if re.match(r"\\*=== ", line) else line for line in cell.source.split("\n")
    )
    return f"{' '.join(words)}\n{source}".rstrip()


def _cells(text: str) -> Iterator[tuple[str, str, list[str], str]]:
    """Type, id, tags and source of each cell."""
    header: re.Match[str] | None = None
    lines: list[str] = []
    for number, line in enumerate([*text.splitlines(), "=== end"], 1):
        if not line.startswith("=== "):
            if header is None and line.strip():
                msg = f"Line {number} is before the first cell: {line}"
                raise NotNotebookText(msg)
            lines.append(re.sub(r"^\\(?=\\*=== )", "", line))
            continue
        if header:
            source = "\n".join(lines).strip("\n")
            yield header["type"], header["id"], header["tags"].split(), source
        lines, header = [], _HEADER.match(line)
        if header is None and line != "=== end":
            msg = (
                f"Line {number} is no header of a cell: {line}\n"
                "Write: === markdown ID, or === code ID TAGS; an id has small letters, digits "
                "and hyphens. In a cell, write \\=== for a line that begins so."
            )
            raise NotNotebookText(msg)


def main(arguments: Sequence[str]) -> int:
    """Print a notebook as text, or make one of text; 2 where the words are wrong."""
    try:
        match [Path(name) for name in arguments]:
            case [notebook] if notebook.suffix == ".ipynb":
                print(to_text(nbformat.read(notebook, as_version=4)), end="")  # type: ignore[no-untyped-call]
                return 0
            case [text, notebook] if notebook.suffix == ".ipynb":
                before = nbformat.read(notebook, as_version=4) if notebook.is_file() else None  # type: ignore[no-untyped-call]
                made = to_notebook(text.read_text(encoding="utf-8"), before)
                notebook.write_text(nbformat.writes(made) + "\n", encoding="utf-8")  # type: ignore[no-untyped-call]
                return 0
    except (NotNotebookText, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print("python -m kit.notebook.source [TEXT] NOTEBOOK.ipynb", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
