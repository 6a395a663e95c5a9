"""The only reader of the environment in access."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of access."""

    model_config = SettingsConfigDict(env_prefix="DIARY_ACCESS_")

    port: int = 50051
    metrics_port: int = 9101
    journal_address: str = Field(
        "127.0.0.1:50052", validation_alias="DIARY_JOURNAL_ADDRESS", description="gRPC address of journal"
    )
    notify_address: str = Field(
        "127.0.0.1:50053", validation_alias="DIARY_NOTIFY_ADDRESS", description="gRPC address of notify"
    )
    documents_address: str = Field(
        "127.0.0.1:50054", validation_alias="DIARY_DOCUMENTS_ADDRESS", description="gRPC address of documents"
    )
    portal_url: str = Field("http://127.0.0.1:8080", description="where families open the diary; slips link to it")
    region_calendar: Path | None = Field(None, description="CSV of the region's days off and working days (docs/clocks.md)")
