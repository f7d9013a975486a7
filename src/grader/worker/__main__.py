"""Start the worker: ``python -I …/grader/worker OPTIONS``."""

import sys
from pathlib import Path

if __name__ == "__main__":
    _home = str(Path(__file__).resolve().parents[2])
    sys.path.insert(0, _home)
    from grader.worker import zygote

    zygote.main(sys.argv[1:])
