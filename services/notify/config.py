"""The only reader of the environment in notify."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of notify."""

    model_config = SettingsConfigDict(env_prefix="DIARY_NOTIFY_")

    port: int = 50053
    metrics_port: int = 9103
    access_address: str = Field(
        "127.0.0.1:50051", validation_alias="DIARY_ACCESS_ADDRESS", description="gRPC address of access"
    )
