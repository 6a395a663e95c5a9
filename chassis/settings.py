"""What every service is told by its environment. A service's config.py is the only reader of it."""

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import EnvSettingsSource


class _FileSource(EnvSettingsSource):
    """Reads `<NAME>_FILE`: a secret mounted as a file."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        _, key, is_complex = super().get_field_value(field, field_name)
        names = [name for name, *_ in self._extract_field_info(field, field_name)]
        for name in [key, *(info[1] for info in self._extract_field_info(field, field_name)), *names]:
            path = self.env_vars.get(f"{name}_file") or self.env_vars.get(f"{name}_FILE")
            if path:
                return Path(path).read_text().strip(), field_name, is_complex
        return None, field_name, False


class ServiceSettings(BaseSettings):
    """Settings that every service has. Each subclass sets `env_prefix` to DIARY_<SERVICE>_."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    listen_host: str = Field("127.0.0.1", validation_alias="DIARY_LISTEN_HOST", description="address to listen on")
    port: int = Field(description="port of gRPC")
    metrics_port: int = Field(description="port of /metrics; 0 serves none")
    database_url: SecretStr = Field(description="DSN of the role diary_<service>_app")
    pool_size: int = Field(8, description="database connections a process")
    admin_database_url: SecretStr = Field(
        SecretStr(""), validation_alias="DIARY_DATABASE_URL", description="DSN of the server's admin, for migrations and seeds"
    )
    nats_url: SecretStr = Field(
        SecretStr("nats://127.0.0.1:4222"), validation_alias="DIARY_NATS_URL", description="NATS servers"
    )
    nats_stream_copies: int = Field(
        1, validation_alias="DIARY_NATS_STREAM_COPIES", description="copies of our stream, at most as many as NATS has nodes"
    )
    keys_dir: Path = Field(Path(".diary/keys"), validation_alias="DIARY_KEYS_DIR", description="keys of tokens")
    reflection: bool = Field(
        False,
        validation_alias="DIARY_REFLECTION",
        description="whether anybody may ask for our methods (gRPC reflection)",
    )
    log_level: str = Field("INFO", validation_alias="DIARY_LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then files named by the environment."""
        return init_settings, env_settings, _FileSource(settings_cls)
