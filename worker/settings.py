"""What a worker is told: the backend's address and the key they share. No database, no key ring, no datasource."""

from __future__ import annotations

import socket

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class WorkerSettings(BaseModel):
    """This process and its backend."""

    key: SecretStr = Field(
        min_length=32, description="Shared by the backend and its workers: signs what they send each other."
    )
    backend_url: str = Field("http://127.0.0.1:8085", description="Where the backend is.")
    name: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        max_length=200,
        description="What this worker is called; of two with the same name only one is seen. Empty: the host's name.",
    )
    health_host: str = Field("127.0.0.1", description="Address of the health checks.")
    health_port: int = Field(8086, ge=0, le=65535, description="Port of the health checks, /health and /health/ready.")
    request_timeout_s: float = Field(5.0, gt=0, description="Longest wait for the backend.")


class LogSettings(BaseModel):
    """What is written about what happens. Never trace content."""

    level: str = Field("info", description="debug, info, warning or error.")
    json_lines: bool = Field(False, description="One JSON object a line instead of text.")


class Settings(BaseSettings):
    """All settings of a worker."""

    model_config = SettingsConfigDict(
        env_prefix="ARCANE_", env_nested_delimiter="__", env_file=".env", env_ignore_empty=True, extra="ignore"
    )

    worker: WorkerSettings = Field(default_factory=dict, validate_default=True)
    log: LogSettings = Field(default_factory=LogSettings)
