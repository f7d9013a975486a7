"""Start the worker: ``python -s -P …/grader/worker OPTIONS``, which are one JSON object."""

import json
import sys
from pathlib import Path

if __name__ == "__main__":
    # In place of this folder: a student's module may be called like one in it.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    from grader.worker import contained, zygote

    options = json.loads(sys.argv[1])
    program = contained if "door" in options else zygote
    program.main(options)
