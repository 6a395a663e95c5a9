"""The only reader of the environment in documents."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of documents."""

    model_config = SettingsConfigDict(env_prefix="DIARY_DOCUMENTS_")

    port: int = 50054
    metrics_port: int = 9104
    portal_url: str = Field("http://127.0.0.1:8080", description="where papers are verified; the codes on them link to it")
    access_address: str = Field(
        "127.0.0.1:50051", validation_alias="DIARY_ACCESS_ADDRESS", description="gRPC address of access"
    )
    journal_address: str = Field(
        "127.0.0.1:50052", validation_alias="DIARY_JOURNAL_ADDRESS", description="gRPC address of journal"
    )
