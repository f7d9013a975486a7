# threat: 8
# earns: 0
# ends: wire wire wire
# says: add_note gave no answer | a frame of 4294967295 bytes was announced | a frame of 8388609 bytes was announced
"""Announces an answer of four gigabytes, or of one byte more than may be sent."""

import os
import struct


def announce(length):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack(">I", length) + b"x")
        except OSError:
            pass


def add_note(session, body):
    announce(0xFFFFFFFF)
    return 1


def find_notes(session, word):
    announce(8 * 1024 * 1024 + 1)
    return []
