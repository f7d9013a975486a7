"""The errors of this exercise. Given: there is nothing to change in it."""


class BackupDamaged(Exception):
    """A file is not, or no longer, what `back_up` wrote."""


class DatabaseNotEmpty(Exception):
    """A backup is to be restored into a database that has rows in its tables."""
