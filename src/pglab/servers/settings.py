"""The server settings that the kit chooses, in one place, but for where a server listens.

``COMMON`` holds on all servers that the kit runs, ``DURABLE`` adds what the learner's own server
needs, ``DISPOSABLE`` what a throw-away server does. They are given on the command line, so a
session of a student cannot change them.
"""

from __future__ import annotations

__all__ = [
    "COMMON",
    "DISPOSABLE",
    "DISPOSABLE_FROM_18",
    "DURABLE",
    "KERNEL_COPIES_FROM_18",
    "as_arguments",
    "settings_for",
]

COMMON: dict[str, str] = {
    # The server's log is the witness of what was sent: one JSON object a line (see pglab.witness).
    "logging_collector": "on",
    "log_destination": "jsonlog",
    "log_directory": "log",
    # In UTC the names sort in the order of time, also when the clocks change.
    "log_filename": "postgresql-%Y%m%d-%H%M%S.log",
    "log_timezone": "UTC",
    "log_file_mode": "0640",
    "log_rotation_age": "1d",
    "log_rotation_size": "32MB",
    "log_min_messages": "warning",
    "log_min_error_statement": "error",
    "log_error_verbosity": "default",
    "log_statement": "none",
    # Bytes of each parameter; enough for any honest value, and a bound for the others.
    "log_parameter_max_length": "65536",
    # The witness reads the command tag of a statement from the process title.
    "update_process_title": "on",
    "lc_messages": "C",
    "timezone": "UTC",
    "password_encryption": "scram-sha-256",
}

DURABLE: dict[str, str] = {
    # What a learner saves stays saved: PostgreSQL's own defaults, said aloud.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "100",
}

DISPOSABLE: dict[str, str] = {
    # Nobody will miss the data after a crash; not waiting for the disk makes clones about five
    # times cheaper (bench/clones.py).
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
    # Plans and statistics change when a check says ANALYZE, not when a timer does; and an
    # autovacuum worker inside a clone delays its drop.
    "autovacuum": "off",
    # A clone and its drop are three checkpoints; nobody reads six lines about them.
    "log_checkpoints": "off",
}

DISPOSABLE_FROM_18: dict[str, str] = {
    # A check's few rows are in memory. Three processes that would read ahead are not started.
    "io_method": "sync",
}
"""What a throw-away server has besides, from PostgreSQL 18 on."""

KERNEL_COPIES_FROM_18: dict[str, str] = {
    # The kernel copies a clone's files by itself; where the file system can, they share blocks.
    "file_copy_method": "clone",
}
"""The same, where the file system has what it takes."""


def settings_for(*, disposable: bool) -> dict[str, str]:
    """The settings of a server that the kit runs, by name."""
    return COMMON | (DISPOSABLE if disposable else DURABLE)


def as_arguments(settings: dict[str, str]) -> list[str]:
    """``-c name=value`` arguments for the postgres program."""
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
