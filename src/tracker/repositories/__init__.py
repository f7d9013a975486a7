"""Reads and writes of one aggregate each.

Every function takes a Session first, and none commits: the caller decides what belongs together.
    A write is flushed, so that what the database refuses is raised here, as one of the tracker's
    own errors.
"""
