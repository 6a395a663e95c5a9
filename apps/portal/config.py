"""The only reader of the environment in the portal."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings of the portal. It keeps no data and no secrets of its own."""

    model_config = SettingsConfigDict(env_prefix="DIARY_PORTAL_", frozen=True, extra="ignore", populate_by_name=True)

    listen_host: str = Field("127.0.0.1", validation_alias="DIARY_LISTEN_HOST", description="address to listen on")
    port: int = Field(8081, description="port of HTTP")
    url: str = Field(
        "http://127.0.0.1:8080", description="where people open the diary; behind https cookies go over nothing else"
    )
    gateway_address: str = Field(
        "127.0.0.1:8080", validation_alias="DIARY_GATEWAY_ADDRESS", description="gRPC address of the gateway"
    )
    log_level: str = Field("INFO", validation_alias="DIARY_LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR")
