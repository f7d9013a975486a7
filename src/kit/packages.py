"""The Python packages that the kit and its optional parts need, compared with what is installed."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterable

EXTRAS = ("grade", "lab")
"""The optional parts that a user may want."""


def shortcomings(
    required: Iterable[str] | None = None,
    version_of: Callable[[str], str] = importlib.metadata.version,
) -> dict[str, list[str]]:
    """What is missing or does not fit, by optional part; ``""`` is the kit itself.

    Args:
        required: requirements as package metadata has them; those of the kit if not given.
        version_of: gives the installed version of a package, or raises `PackageNotFoundError`.
    """
    from packaging.requirements import Requirement

    lines = importlib.metadata.requires("kit") if required is None else required
    found: dict[str, list[str]] = {"": [], **{extra: [] for extra in EXTRAS}}
    for need in map(Requirement, lines or []):
        if need.name == "kit":
            continue
        for extra, problems in found.items():
            belongs = need.marker.evaluate({"extra": extra}) if need.marker else extra == ""
            if belongs and (problem := _problem(need.name, need.specifier.contains, version_of)):
                problems.append(
                    problem + (f", needed is {need.specifier}" if need.specifier else "")
                )
    return {extra: problems for extra, problems in found.items() if problems}


def _problem(name: str, fits: Callable[..., bool], version_of: Callable[[str], str]) -> str:
    try:
        have = version_of(name)
    except importlib.metadata.PackageNotFoundError:
        return f"{name} is missing"
    return "" if fits(have, prereleases=True) else f"{name} is {have}"
