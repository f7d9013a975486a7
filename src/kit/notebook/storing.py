"""Run notebooks and store their outputs, so that a reader who runs nothing sees them.

``python -m kit.notebook.storing --fresh notebooks/00_start.ipynb`` runs each notebook named in a
kernel of its own and writes it back; with ``--fresh`` in a home and on a server made for it, so
that nothing of the user's own is stored. Where an output is the same but for what nbval overlooks
(times, ports, versions: see ``.nbval-sanitize.cfg`` beside the notebooks), the old one stays, so a
second run changes no byte.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

SANITIZER = ".nbval-sanitize.cfg"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_PORT = re.compile(r"(127\.0\.0\.1:|port )\d{5}\b")


class MachineShows(Exception):
    """An output names a folder of this machine."""


def store(path: Path) -> bool:
    """Run a notebook and write it back with its outputs; return whether the file changed.

    Raises:
        CellExecutionError: a cell failed that is not tagged ``raises-exception``.
        MachineShows: an output names a folder of this machine; nothing was written.
    """
    before = path.read_text(encoding="utf-8")
    notebook: Any = nbformat.reads(before, as_version=4)  # type: ignore[no-untyped-call]
    old = {cell.id: cell.get("outputs", []) for cell in notebook.cells}
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )  # fmt: skip
    client.execute()
    # How outputs look is compared here: a new style is stored.
    patterns = [one for one in sanitizer(path.with_name(SANITIZER)) if one[1] != "STYLE"]
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            new = [_neutral(output) for output in _joined(cell.outputs)]
            was = _joined(old[cell.id])
            cell.outputs = was if sanitized(new, patterns) == sanitized(was, patterns) else new
    notebook.metadata = METADATA
    after = nbformat.writes(notebook) + "\n"  # type: ignore[no-untyped-call]
    if shown := [place for place in machine_places(path) if place in after]:
        raise MachineShows(f"{path.name} shows {', '.join(shown)}. Change the cell that prints it.")
    path.write_text(after, encoding="utf-8")
    return bool(after != before)


def sanitizer(path: Path) -> list[tuple[str, str]]:
    """What nbval overlooks: patterns, and what is read in their place."""
    if not path.is_file():
        return []
    from nbval.plugin import get_sanitize_patterns

    return list(get_sanitize_patterns(path.read_text(encoding="utf-8")))


def sanitized(value: Any, patterns: Sequence[tuple[str, str]]) -> Any:
    """An output as nbval compares it."""
    if isinstance(value, str):
        for pattern, replacement in patterns:
            value = re.sub(pattern, replacement, value)
        return value
    if isinstance(value, list):
        return [sanitized(one, patterns) for one in value]
    if isinstance(value, dict):
        return {key: sanitized(one, patterns) for key, one in value.items()}
    return value


def machine_places(path: Path) -> list[str]:
    """Folders of this machine that no stored output may name."""
    from kit import home

    folders = {home.location(), Path.home(), path.resolve().parents[1]}
    return sorted({str(folder) for folder in folders if folder.name} | {"/ipykernel_"})


def _joined(outputs: Sequence[Any]) -> list[Any]:
    """The outputs, with what was printed in pieces in one: how many there are is chance."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            joined[-1] = nbformat.from_dict({**last, "text": last["text"] + output["text"]})  # type: ignore[no-untyped-call]
        else:
            joined.append(output)
    return joined


def _neutral(output: Any) -> Any:
    """The output with the ports of this run replaced by one that never changes."""
    return nbformat.from_dict(sanitized(output, [(_PORT.pattern, r"\g<1>50000")]))  # type: ignore[no-untyped-call]


def main(arguments: Sequence[str]) -> int:
    """Store each notebook named; 1 if one failed."""
    names = [word for word in arguments if word != "--fresh"]
    if len(names) == len(arguments):
        return _store_all(names)
    from kit.notebook import workspace
    from kit.notebook.fresh import fresh_home

    course = Path(names[0]).resolve().parents[1] if names else None
    with fresh_home(course) as surroundings:
        os.environ.update(surroundings)
        os.environ.pop("DATABASE_URL", None)
        workspace.open_workspace(lambda _line: None)
        workspace.close_workspace()
        return _store_all(names)


def _store_all(names: Sequence[str]) -> int:
    failed = False
    for name in names:
        try:
            changed = store(Path(name))
        except (CellExecutionError, MachineShows) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
        else:
            print(f"{name}: {'stored' if changed else 'unchanged'}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
