"""Settings: from the environment first, then from ``.env`` files, then the defaults here."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from tracker.errors import ConfigurationError


class Environment(StrEnum):
    """Where the tracker runs."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """All settings of the tracker, each read from an environment variable of its own."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    environment: Environment = Field(
        default=Environment.DEVELOPMENT, validation_alias="TRACKER_ENVIRONMENT"
    )
    # SecretStr: the URL holds a password, and a printed Settings must not show it.
    database_url: SecretStr | None = None
    # Where a pooler such as PgBouncer stands between, migrations go round it by this URL.
    direct_url: SecretStr | None = None
    # Where the cache is kept for all processes together; without it, each has one in memory.
    redis_url: SecretStr | None = None
    pool_size: int = Field(default=5, ge=1, validation_alias="TRACKER_POOL_SIZE")
    max_overflow: int = Field(default=5, ge=0, validation_alias="TRACKER_MAX_OVERFLOW")

    @property
    def log_statements(self) -> bool:
        """Whether every SQL statement is logged: in development only."""
        return self.environment is Environment.DEVELOPMENT

    def url(self) -> str:
        """Return DATABASE_URL, or raise ConfigurationError if it is not set."""
        if self.database_url is None:
            raise ConfigurationError(
                "DATABASE_URL is not set. Set it in the environment or in a .env file, for example "
                "DATABASE_URL=postgresql://user:password@localhost:5432/tracker"
            )
        return self.database_url.get_secret_value()

    def migration_url(self) -> str:
        """Return DIRECT_URL where there is one, else DATABASE_URL."""
        return self.url() if self.direct_url is None else self.direct_url.get_secret_value()


def load_settings(directory: Path | None = None) -> Settings:
    """Read the settings for the environment that TRACKER_ENVIRONMENT names.

    Arguments:
        directory: where the ``.env`` files are; the working directory by default. ``.env`` holds
            what all environments share, ``.env.test`` (say) what one of them has otherwise.

    Raises:
        ConfigurationError: a setting has a value that it cannot have.
    """
    directory = directory or Path.cwd()
    shared = directory / ".env"
    try:
        first = Settings(_env_file=shared)  # type: ignore[call-arg]
        return Settings(  # type: ignore[call-arg]
            _env_file=(shared, directory / f".env.{first.environment}")
        )
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_input=False)  # an input may hold a password
        )
        raise ConfigurationError(f"A setting is wrong. {problems}") from None
