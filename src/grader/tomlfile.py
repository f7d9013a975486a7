"""Reads the TOML that authors write; what is wrong with it is told by file and key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.errors import CatalogError

_TOML_TYPES = {str: "string", int: "integer", list: "array", dict: "table"}


class Table:
    """A TOML table that is read with the types that it should have.

    Args:
        file: where it stands, for messages.
        prefix: of its keys, for messages: ``worker.``.
    """

    def __init__(self, file: Path, values: Mapping[str, Any], prefix: str = "") -> None:
        self._file = file
        self._values = values
        self._prefix = prefix

    def only(self, known: set[str]) -> None:
        """Refuse every key but these."""
        if unknown := sorted(self._values.keys() - known):
            raise self._error(unknown[0], f"is not known. Known: {', '.join(sorted(known))}.")

    def table(self, key: str) -> Table:
        """The table that stands in this one."""
        return Table(self._file, self.get(key, dict), f"{key}.")

    def get(self, key: str, kind: type, default: Any = None) -> Any:
        """A value of this type; without a default it must be there."""
        value = self._values.get(key, default)
        if value is None:
            raise self._error(key, "is missing.")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self._error(key, f"must be of type {_TOML_TYPES[kind]}.")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A text that says something."""
        value: str = self.get(key, str, default)
        if default is None and not value.strip():
            raise self._error(key, "is empty.")
        return value

    def positive(self, key: str, default: int | None = None) -> int:
        """A whole number greater than 0."""
        value: int = self.get(key, int, default)
        if value <= 0:
            raise self._error(key, "must be greater than 0.")
        return value

    def texts(self, key: str, default: list[str] | None = None) -> tuple[str, ...]:
        """A list of texts."""
        values = self.get(key, list, default)
        if not all(isinstance(value, str) for value in values):
            raise self._error(key, "must be a list of strings.")
        return tuple(values)

    def name(self, key: str, default: str | None = None) -> str:
        """The name of a file in the exercise's own folder."""
        value: str = self.get(key, str, default)
        return value if value == default else self._as_name(key, value)

    def names(self, key: str, default: list[str] | None = None) -> tuple[str, ...]:
        """Names of files in the exercise's own folder."""
        return tuple(self._as_name(key, value) for value in self.texts(key, default))

    def _as_name(self, key: str, value: str) -> str:
        if not value or value.startswith(".") or "/" in value or "\\" in value:
            raise self._error(key, f"must be names of files in the exercise's folder: {value!r}.")
        return value

    def _error(self, key: str, message: str) -> CatalogError:
        return CatalogError(f"{self._file}: '{self._prefix}{key}' {message}")


def read_text(file: Path) -> str:
    """The text of a file of the course.

    Raises:
        CatalogError: it is missing, unreadable or not UTF-8.
    """
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CatalogError(f"{file} is missing.") from None
    except UnicodeDecodeError as error:
        raise CatalogError(f"{file} is not UTF-8 text: {error.reason}.") from error
    except OSError as error:
        raise CatalogError(f"{file} cannot be read: {error.strerror}.") from error


def read_toml(file: Path) -> Table:
    """The table that a TOML file holds.

    Raises:
        CatalogError: as for `read_text`, or it is not TOML.
    """
    return parse_toml(file, read_text(file))


def parse_toml(file: Path, text: str) -> Table:
    """The table in ``text``, which stands in ``file``.

    Raises:
        CatalogError: it is not TOML.
    """
    try:
        return Table(file, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{file} is not valid TOML: {error}.") from error
