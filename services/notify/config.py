"""The only reader of the environment in notify."""

from typing import Literal

from pydantic import Field, SecretStr
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
    journal_address: str = Field(
        "127.0.0.1:50052", validation_alias="DIARY_JOURNAL_ADDRESS", description="gRPC address of journal"
    )
    documents_address: str = Field(
        "127.0.0.1:50054", validation_alias="DIARY_DOCUMENTS_ADDRESS", description="gRPC address of documents"
    )
    portal_url: str = Field("http://127.0.0.1:8080", description="where families open the diary; letters link to it")
    mail_from: str = Field("diary@diary.localhost", description="address that letters come from")
    smtp_host: str = Field("127.0.0.1", description="mail server")
    smtp_port: int = Field(1025, description="its port")
    smtp_tls: Literal["none", "starttls", "tls"] = Field("none", description="none, starttls or tls (from the first byte)")
    smtp_user: str = Field("", description="login at the mail server; empty: none")
    smtp_password: SecretStr = Field(SecretStr(""), description="password at the mail server")
