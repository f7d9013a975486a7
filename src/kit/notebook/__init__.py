"""The IPython extension and the names that notebook cells use.

``%load_ext kit`` connects the notebook to the learner's database, and brings the magics. What each
of them, and each name of this module, is for is written in ``docs/notebooks.md``.
"""

from kit.notebook.cards import capability_table, health_badge
from kit.notebook.diagrams import diagram
from kit.notebook.doorway import Doorway
from kit.notebook.er_diagrams import erd
from kit.notebook.errors import NotConnected, NotebookError, SqlError
from kit.notebook.figures import figure
from kit.notebook.pictures import NoAlternativeText, picture
from kit.notebook.places import ScratchDatabase, scratch
from kit.notebook.plan_trees import plan, show_sql
from kit.notebook.predictions import calibration, compare
from kit.notebook.revisions import history
from kit.notebook.schema_changes import schema_diff
from kit.notebook.showing import Shown, claim, table, verdict
from kit.notebook.timelines import timeline
from kit.notebook.workspace import client_programs, engine, server, session, url

__all__ = [
    "Doorway",
    "NoAlternativeText",
    "NotConnected",
    "NotebookError",
    "ScratchDatabase",
    "Shown",
    "SqlError",
    "calibration",
    "capability_table",
    "claim",
    "client_programs",
    "compare",
    "diagram",
    "engine",
    "erd",
    "figure",
    "health_badge",
    "history",
    "picture",
    "plan",
    "schema_diff",
    "scratch",
    "server",
    "session",
    "show_sql",
    "table",
    "timeline",
    "url",
    "verdict",
]
