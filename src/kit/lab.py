"""JupyterLab on the course: the database up, the right notebook open, all of it ended again."""

from __future__ import annotations

import contextlib
import difflib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from kit import database, home
from kit.course import find_root
from kit.errors import KitError, WrongUsage
from pglab.servers import Server, open_server, status
from pglab.servers.durable import DurableServer

PATIENCE_S = 15.0
"""How long JupyterLab may take to end its kernels before it is ended itself."""


def run_lab(
    notebook: str | None,
    options: Sequence[str] = (),
    *,
    course: Path | None = None,
    choice: str = "auto",
    say: Callable[[str], None],
) -> None:
    """Run JupyterLab until the user ends it.

    Args:
        notebook: number, name or path of the notebook to open; the first if not given.
        options: for JupyterLab itself.
        course: the course's folder, if the user named one.
        choice: the server: ``auto``, ``embedded``, ``container`` or a URL.
        say: told what is going on.

    Raises:
        WrongUsage: there is no such notebook, or no course here.
        KitError: JupyterLab is not installed, or failed.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        msg = (
            "JupyterLab is not installed. In the project's folder: make lab. "
            "Elsewhere: pip install 'kit[lab]'."
        )
        raise KitError(msg)
    root = find_root(named=course)
    path = find_notebook(root, notebook)
    with server_for_lab(choice, say) as server:
        database.ensure(server, say=say)
        say(f"Opening {path.relative_to(root)}. Ctrl-C here ends JupyterLab.")
        _run(command(root, path, options), environment(root, choice))


def find_notebook(root: Path, asked: str | None) -> Path:
    """The notebook that the user means.

    Args:
        root: the course's folder.
        asked: a number (``05``), a name (``crud``, ``05_crud``) or a path; None for the first.

    Raises:
        WrongUsage: there is no such notebook; the nearest ones are named.
    """
    notebooks = sorted((root / "notebooks").glob("*.ipynb"))
    if not notebooks:
        msg = f"There are no notebooks in {root / 'notebooks'}."
        raise WrongUsage(msg)
    if asked is None:
        return notebooks[0]
    given = Path(asked).absolute()
    if given.suffix == ".ipynb" and given.is_file():
        if not given.is_relative_to(root):
            msg = f"{given} is not inside the course in {root}. Name the course with --course."
            raise WrongUsage(msg)
        return given
    wanted = Path(asked).name.removesuffix(".ipynb").casefold()
    names: dict[str, Path] = {}
    for path in notebooks:
        number, _, slug = path.stem.casefold().partition("_")
        for name in (path.stem.casefold(), number, number.lstrip("0") or "0", slug):
            names.setdefault(name, path)
    if wanted in names:
        return names[wanted]
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
    hint = (
        f"Did you mean {names[near[0]].stem}?"
        if near
        else ("There are: " + ", ".join(path.stem for path in notebooks) + ".")
    )
    msg = f"There is no notebook “{asked}”. {hint}"
    raise WrongUsage(msg)


def command(root: Path, notebook: Path, options: Sequence[str]) -> list[str]:
    """JupyterLab's command line, in the interpreter that runs the kit."""
    words = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{quote(notebook.relative_to(root).as_posix())}",
        f"--LabApp.app_settings_dir={_settings_folder()}",
        "--ServerApp.log_level=WARN",  # the URL with its token is shown all the same
    ]
    if home.is_root():
        words.append("--allow-root")
    return [*words, *options]


def _settings_folder() -> Path:
    """A folder with JupyterLab's settings for the course: no questions before the first cell."""
    folder = home.prepare() / "jupyterlab"
    folder.mkdir(exist_ok=True)
    settings = {
        "@jupyterlab/apputils-extension:notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
        }
    }
    (folder / "overrides.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def environment(root: Path, choice: str) -> dict[str, str]:
    """What kernels need to know: where the course and the kit's home are, which server is meant."""
    surroundings = os.environ | {
        "KIT_HOME": str(home.location()),
        "KIT_COURSE": str(root),
        # A kernel named python3 that some other project registered for this user must not win.
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    if choice.startswith("postgres"):
        surroundings["DATABASE_URL"] = choice
    elif choice == "embedded":
        surroundings.pop("DATABASE_URL", None)
    return surroundings


@contextlib.contextmanager
def server_for_lab(choice: str, say: Callable[[str], None]) -> Iterator[Server]:
    """The learner's server, running; stopped at the end if it was not running before.

    It stays if somebody else uses it by then: another JupyterLab, a ``kit check``.
    """
    folder = home.prepare()
    was_up = status(folder).running
    server = open_server(choice, home=folder, disposable=False, say=say)
    try:
        yield server
    finally:
        if isinstance(server, DurableServer) and not was_up:
            if others := database.sessions(server):
                say(f"The database server stays up: {others} other session(s) use it.")
            else:
                server.stop()


def _run(words: Sequence[str], surroundings: dict[str, str]) -> None:
    """Run a program in the foreground until it ends; whatever ends us ends it too."""
    with _ctrl_c_is_the_programs_affair():
        process = subprocess.Popen(words, env=surroundings)
        try:
            code = process.wait()
        except BaseException:
            _end(process)
            raise
    if code != 0:
        msg = f"JupyterLab ended with code {code}. What it said stands above."
        raise KitError(msg)


@contextlib.contextmanager
def _ctrl_c_is_the_programs_affair() -> Iterator[None]:
    """On a terminal Ctrl-C reaches JupyterLab as well, which asks whether it was meant."""
    if not sys.stdin.isatty():
        yield
        return
    # A function, unlike SIG_IGN, is not inherited by the program.
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
