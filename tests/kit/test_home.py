"""Where the kit keeps its state."""

from __future__ import annotations

from pathlib import Path

import pytest

from kit import home
from kit.errors import KitError


def test_kit_home_names_the_folder(tmp_path: Path) -> None:
    assert home.location({"KIT_HOME": str(tmp_path / "x")}) == tmp_path / "x"


def test_a_tilde_in_kit_home_is_the_users_own_folder() -> None:
    assert home.location({"KIT_HOME": "~/k"}) == Path.home() / "k"


def test_a_relative_kit_home_does_not_depend_on_later_changes_of_folder() -> None:
    assert home.location({"KIT_HOME": "k"}) == Path.cwd() / "k"


def test_roots_home_is_outside_the_folder_that_only_root_may_enter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(home, "is_root", lambda: True)
    assert home.location({}) == Path("/var/lib/kit")


def test_an_ordinary_users_home_is_the_platforms_place_for_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(home, "is_root", lambda: False)
    assert home.location({}).name == "kit"
    assert home.location({}).is_relative_to(Path.home())


@pytest.mark.parametrize(("root", "mode"), [(True, 0o755), (False, 0o700)])
def test_the_home_is_made_and_open_to_others_only_where_root_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: bool, mode: int
) -> None:
    monkeypatch.setattr(home, "is_root", lambda: root)
    made = home.prepare(tmp_path / "a" / "b")
    assert made.stat().st_mode & 0o777 == mode
    assert list(made.iterdir()) == []


def test_a_home_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KitError, match="set KIT_HOME to a folder that is"):
        home.prepare(tmp_path / "file" / "home")
