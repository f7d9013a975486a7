"""Functions that instruments send into the sandbox, as source text, to run beside the student's
code. Each is self-contained, its imports inside; what it says is as untrusted as all that comes
from there.
"""

from __future__ import annotations

from typing import Any

ENVIRONMENT = """\
from alembic import context

with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""
"""The ``env.py`` of an exercise that gives none: each revision in a transaction of its own."""


def run_alembic(
    session: Any, _: Any, command: str, target: str, scripts: list[str], environment: str
) -> None:
    """Run an Alembic command on the session's database, with these revision scripts."""
    import os
    import shutil

    from alembic import command as commands
    from alembic.config import Config

    home = os.getcwd()
    versions = os.path.join(home, "versions")
    os.makedirs(versions, exist_ok=True)
    for name in scripts:
        shutil.copy(os.path.join(home, name), versions)
    if environment:
        with open(os.path.join(home, "env.py"), "w") as file:
            file.write(environment)
    engine = session.get_bind()
    config = Config()
    config.set_main_option("script_location", home)
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", versions)
    url = engine.url.render_as_string(hide_password=False)
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    config.attributes["engine"] = engine
    getattr(commands, command)(config, target)


def compare_models(session: Any, _: Any, module: str, name: str) -> list[str]:
    """What Alembic would still have to do so that the database agrees with the models."""
    import importlib

    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    def told(change: Any) -> str:
        if isinstance(change, list):
            return "; ".join(map(told, change))
        operation, *rest = change
        what = next((item for item in rest if hasattr(item, "name")), None)
        table = getattr(getattr(what, "table", None), "name", None)
        names = [str(x) for x in (table, getattr(what, "name", None)) if x]
        if what is None or operation.startswith("modify"):
            names = [str(x) for x in rest[1:3]]
        return f"{operation} {'.'.join(names)}"

    options = {
        "compare_type": True,
        "compare_server_default": True,
        "autogenerate_plugins": ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"],
    }
    models = importlib.import_module(module)
    found = getattr(models, name)
    metadata = getattr(found, "metadata", found)
    context = MigrationContext.configure(session.connection(), opts=options)
    return [told(change) for change in compare_metadata(context, metadata)]


def meet_statements(session: Any, _: Any, text: str, at: int, times: int | None, kind: str) -> None:
    """From now on send ``text`` in the place of the ``at``-th statement over the session's engine,
    and so on ``times`` times; ``kind`` says which statements count, unless it is empty.
    """
    import re

    from sqlalchemy import event

    piece = re.compile(r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"[^"]*"|[()]|\w+""", re.DOTALL)
    main = {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"}
    control = {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"}
    count = 0

    def command(statement: str) -> str:
        depth, first = 0, ""
        for found in piece.finditer(statement):
            word = found[0].upper()
            if word in {"(", ")"}:
                depth += 1 if word == "(" else -1
            elif not (word[0].isalpha() or word[0] == "_"):
                continue
            elif not first:
                first, depth = word, 0
                if first != "WITH":
                    break
            elif depth == 0 and word in main:
                return word
        return first

    def meet(cursor: Any, statement: str, *_: Any) -> None:
        nonlocal count
        its = command(statement)
        if its in control or kind not in {"", its}:
            return
        count += 1
        if at <= count and (times is None or count < at + times):
            cursor.connection.cursor().execute(text, prepare=False)

    engine = session.get_bind()
    vars(engine).setdefault("met_by", []).append(meet)
    for name in ("do_execute", "do_executemany", "do_execute_no_params"):
        event.listen(engine, name, meet)


def spare_statements(session: Any, _: Any) -> None:
    """Take out what `meet_statements` has put in."""
    from sqlalchemy import event

    engine = session.get_bind()
    for meet in vars(engine).pop("met_by", []):
        for name in ("do_execute", "do_executemany", "do_execute_no_params"):
            event.remove(engine, name, meet)


def serve_app(session: Any, module: Any, name: str, factory: bool, descriptor: int) -> None:
    """Serve an ASGI application of the submission on a listening socket, in a thread; return when
    it has started.
    """
    import importlib
    import socket
    import threading
    import time

    uvicorn = importlib.import_module("uvicorn")  # not everybody who grades has the extra "api"
    where, _, name = name.rpartition(":")
    app = getattr(importlib.import_module(where) if where else module, name, None)
    if app is None:
        raise AttributeError(f"the module has no {name}")
    if factory:
        url = session.get_bind().url.render_as_string(hide_password=False)
        app = app(url)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    listener = socket.socket(fileno=descriptor)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError(f"{name} did not start")
        time.sleep(0.005)
