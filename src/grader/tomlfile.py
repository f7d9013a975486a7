"""Reads the TOML that authors write; what is wrong with it is told by file and key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from grader.errors import CatalogError

_TOML_TYPES = {
    str: "string",
    int: "integer",
    list: "array",
    dict: "table",
    datetime: "date-time",
}


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
            raise self.error(unknown[0], f"is not known. Known: {', '.join(sorted(known))}.")

    def table(self, key: str, default: dict[str, Any] | None = None) -> Table:
        """The table that stands in this one."""
        return Table(self._file, self.get(key, dict, default), f"{self._prefix}{key}.")

    def tables(self, key: str) -> Mapping[str, Table]:
        """Tables that stand in the table of this key, by name; none where it is missing."""
        outer = self.table(key, {})
        return {name: outer.table(name) for name in outer.get_all()}

    def get_all(self) -> Mapping[str, Any]:
        """Every value, as it stands."""
        return self._values

    def get(self, key: str, kind: Any, default: Any = None) -> Any:
        """A value of this type; without a default it must be there."""
        value = self._values.get(key, default)
        if value is None:
            raise self.error(key, "is missing.")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.error(key, f"must be of type {_TOML_TYPES.get(kind, 'number')}.")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A text that says something."""
        value: str = self.get(key, str, default)
        if default is None and not value.strip():
            raise self.error(key, "is empty.")
        return value

    def positive(self, key: str, default: int | None = None) -> int:
        """A whole number greater than 0."""
        value: int = self.get(key, int, default)
        if value <= 0:
            raise self.error(key, "must be greater than 0.")
        return value

    def number(self, key: str, default: float, *, highest: float = 1e6) -> float:
        """A number from 0 up; the default where it is missing."""
        value: float = default
        if key in self._values:
            value = self.get(key, int | float)
            if not 0 <= value <= highest:
                raise self.error(key, f"must be from 0 to {highest:g}, not {value}.")
        return value

    def texts(self, key: str, default: list[str] | None = None) -> tuple[str, ...]:
        """A list of texts."""
        values = self.get(key, list, default)
        if not all(isinstance(value, str) for value in values):
            raise self.error(key, "must be a list of strings.")
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
            raise self.error(key, f"must be names of files in the exercise's folder: {value!r}.")
        return value

    def error(self, key: str, message: str) -> CatalogError:
        """An error that names the file and the key."""
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
