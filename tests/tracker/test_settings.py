from pathlib import Path

import pytest

from tracker.errors import ConfigurationError
from tracker.settings import Environment, load_settings


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "DATABASE_URL",
        "DIRECT_URL",
        "TRACKER_ENVIRONMENT",
        "TRACKER_POOL_SIZE",
        "TRACKER_MAX_OVERFLOW",
    ):
        monkeypatch.delenv(name, raising=False)


def test_without_any_setting_the_missing_url_is_named_with_an_example(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert settings.environment is Environment.DEVELOPMENT
    with pytest.raises(ConfigurationError, match="DATABASE_URL is not set"):
        settings.url()


def test_the_file_of_the_environment_wins_over_the_shared_one(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TRACKER_ENVIRONMENT=test\nDATABASE_URL=postgresql://shared/x\n")
    (tmp_path / ".env.test").write_text("DATABASE_URL=postgresql://test/x\n")
    (tmp_path / ".env.production").write_text("DATABASE_URL=postgresql://production/x\n")
    assert load_settings(tmp_path).url() == "postgresql://test/x"


def test_the_process_environment_wins_over_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://file/x\nTRACKER_POOL_SIZE=7\n")
    monkeypatch.setenv("DATABASE_URL", "postgresql://process/x")
    settings = load_settings(tmp_path)
    assert settings.url() == "postgresql://process/x"
    assert settings.pool_size == 7


def test_migrations_go_round_the_pooler_where_there_is_a_direct_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://pooler/x")
    assert load_settings(tmp_path).migration_url() == "postgresql://pooler/x"
    monkeypatch.setenv("DIRECT_URL", "postgresql://server/x")
    assert load_settings(tmp_path).migration_url() == "postgresql://server/x"
    assert load_settings(tmp_path).url() == "postgresql://pooler/x"


def test_printed_settings_do_not_show_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@host/x")
    assert "secret" not in repr(load_settings(tmp_path))


@pytest.mark.parametrize(
    ("name", "value"), [("TRACKER_ENVIRONMENT", "staging"), ("TRACKER_POOL_SIZE", "many")]
)
def test_a_wrong_setting_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("environment", "logged"), [("development", True), ("test", False), ("production", False)]
)
def test_statements_are_logged_in_development_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: str, logged: bool
) -> None:
    monkeypatch.setenv("TRACKER_ENVIRONMENT", environment)
    assert load_settings(tmp_path).log_statements is logged
