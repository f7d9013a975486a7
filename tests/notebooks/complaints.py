"""A plugin for nbval: where a cell shows another output than is stored, what it wrote to standard
error is told too. nbval itself says only that there was something.
"""

from typing import Any

from nbval.plugin import IPyNbCell

_compare = IPyNbCell.compare_outputs


def _telling(cell: IPyNbCell, test: list[dict[str, Any]], *others: Any) -> bool:
    if _compare(cell, test, *others):
        return True
    cell.comparison_traceback += [o["text"] for o in test if o.get("name") == "stderr"]
    return False


IPyNbCell.compare_outputs = _telling
