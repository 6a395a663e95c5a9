"""The only reader of the environment in journal."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of journal."""

    model_config = SettingsConfigDict(env_prefix="DIARY_JOURNAL_")

    port: int = 50052
    metrics_port: int = 9102
    access_address: str = Field(
        "127.0.0.1:50051", validation_alias="DIARY_ACCESS_ADDRESS", description="gRPC address of access"
    )
    cards_megabytes: int = Field(64, description="memory for encoded diary cards, a process")
