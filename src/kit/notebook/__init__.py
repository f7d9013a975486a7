"""The IPython extension and the names that notebook cells use.

``%load_ext kit`` connects the notebook to the learner's database; then

===================== ==========================================================================
``%%sql``             asks the database (ipython-sql, set right)
``%receipts``         switches query receipts: ``on``, ``off``, ``plans``
``%receipt``          shows the last receipt in full
`session`             a new SQLAlchemy session
`engine`              the SQLAlchemy engine
`url`                 the URL of the database
`server`              the PostgreSQL server
`health_badge`        whether the database answers
`capability_table`    what the server can do
`table`, `verdict`    show what a cell found
`Doorway`             the server by TCP, with a look at what it answers
===================== ==========================================================================
"""

from kit.notebook.cards import capability_table, health_badge
from kit.notebook.doorway import Doorway
from kit.notebook.errors import NotConnected, NotebookError, SqlError
from kit.notebook.showing import Shown, table, verdict
from kit.notebook.workspace import engine, server, session, url

__all__ = [
    "Doorway",
    "NotConnected",
    "NotebookError",
    "Shown",
    "SqlError",
    "capability_table",
    "engine",
    "health_badge",
    "server",
    "session",
    "table",
    "url",
    "verdict",
]
