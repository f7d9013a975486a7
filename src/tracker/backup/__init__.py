"""Backups: make one, look whether it is good, put it back, and let old ones go.

A backup is a folder with two files: the dump, and a manifest that says what must be in it. A dump
that nobody has restored is a hope: `verify` with a scratch database puts it back and counts.
"""

from tracker.backup.dump import create
from tracker.backup.manifest import Backup, Manifest, find, open_backup
from tracker.backup.restore import restore, verify
from tracker.backup.retention import Keep, kept, prune
from tracker.backup.upload import uploader

__all__ = [
    "Backup",
    "Keep",
    "Manifest",
    "create",
    "find",
    "kept",
    "open_backup",
    "prune",
    "restore",
    "uploader",
    "verify",
]
