"""Where a student's files stand.

===============  ============================================================================
`Folder`         a folder with the exercise's folder in it or the answer itself, or a checkout
`SingleFile`     a file that is called like an answer, or the only answer whatever it is called
`Archive`        a zip or tar archive of such a folder
`Notebook`       cells that begin with ``%%exercise NAME``
===============  ============================================================================

A source only lists and reads. It follows no link, unpacks nothing to the disk, and reads nothing
further than its limit.
"""

from grader.sources.archive import Archive, is_archive
from grader.sources.base import Files, Refused, Source
from grader.sources.folder import Folder, SingleFile, has_folder
from grader.sources.notebook import Notebook

__all__ = [
    "Archive",
    "Files",
    "Folder",
    "Notebook",
    "Refused",
    "SingleFile",
    "Source",
    "has_folder",
    "is_archive",
]
