"""Start the worker: ``python -s -P …/grader/worker OPTIONS``."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # In place of this folder: a student's module may be called like one in it.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    from grader.worker import zygote

    zygote.main(sys.argv[1:])
