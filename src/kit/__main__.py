"""``python -m kit``: the command line where the ``kit`` script is not on the PATH."""

from __future__ import annotations

import sys

from kit.cli import main

if __name__ == "__main__":
    sys.exit(main())
