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
    url: str = Field(
        "",
        description="Where the backend reaches this worker, to run prompts somebody waits for. "
        "Empty: health_host (or this host's name, when that is every address) and health_port.",
    )
    prompts_at_once: int = Field(32, ge=1, description="Most prompts that run here at once while somebody waits.")
    prompt_bytes_max: int = Field(8 * 1024 * 1024, ge=1024, description="Largest request to run a prompt.")
    request_timeout_s: float = Field(5.0, gt=0, description="Longest wait for the backend.")
    claim_timeout_s: float = Field(
        60.0, gt=0, description="Longest wait when jobs are claimed: traces that they are about are read meanwhile."
    )
    concurrency: int = Field(100, ge=1, le=10_000, description="Most jobs that run at once.")
    per_organisation: int = Field(100, ge=1, le=10_000, description="Most jobs of one organisation that run at once.")
    ahead: int = Field(
        100, ge=0, le=10_000, description="Jobs taken beyond those that run, so that the next one begins at once."
    )
    grace_s: float = Field(
        20.0, ge=0, description="Told to end, a worker finishes what runs for so long, and gives the rest back."
    )


class EgressSettings(BaseModel):
    """Where calls to language models may go; the backend reads the same settings for datasources."""

    allow_networks: list[str] = Field(
        default_factory=list,
        description="Networks that are allowed although they are loopback, link-local, private or "
        "otherwise reserved, for instance 127.0.0.0/8.",
    )
    connect_timeout_s: float = Field(5.0, gt=0, description="Longest wait for a connection.")


class LlmSettings(BaseModel):
    """Calls to language models. Limits are those of one worker process."""

    tries: int = Field(4, ge=1, le=10, description="How often a call is tried that fails in a way that may pass.")
    backoff_s: float = Field(
        0.5, gt=0, description="Wait after the first failed try; it doubles with each further one."
    )
    backoff_max_s: float = Field(30.0, gt=0, description="Longest wait between two tries.")
    retry_after_max_s: float = Field(120.0, gt=0, description="Longest Retry-After of a provider that is waited for.")
    call_timeout_s: float = Field(120.0, gt=0, description="Longest silence of a provider while it answers.")
    calls_per_key: int = Field(256, ge=1, description="Most calls at once with one key of a provider.")
    calls_per_key_and_minute: float = Field(0.0, ge=0, description="Most calls a minute with one key; 0: no limit.")
    calls_per_organisation: int = Field(256, ge=1, description="Most calls at once for one organisation.")
    calls_per_organisation_and_minute: float = Field(
        0.0, ge=0, description="Most calls a minute for one organisation; 0: no limit."
    )
    connections_max: int = Field(512, ge=1, description="Most connections to all providers together.")
    connections_kept: int = Field(64, ge=1, description="Most model configurations whose clients are kept ready.")
    answer_bytes_max: int = Field(32 * 1024 * 1024, ge=1, description="Largest answer of a provider.")
    texts_per_call: int = Field(96, ge=1, le=2048, description="Most texts in one call for embeddings.")


class BrokerSettings(BaseModel):
    """How jobs travel: the same as the backend's."""

    url: SecretStr | None = Field(
        None, description="amqp://, amqps://, kafka:// or kafka+ssl://. Empty: jobs are borrowed from the backend."
    )
    retry_delays_s: list[float] = Field(
        default_factory=lambda: [60.0, 600.0],
        min_length=1,
        max_length=10,
        description="Seconds a failed job waits before its second, third, ... try.",
    )


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
    egress: EgressSettings = Field(default_factory=EgressSettings)
    llm: LlmSettings = Field(default_factory=LlmSettings)
    broker: BrokerSettings = Field(default_factory=BrokerSettings)
    log: LogSettings = Field(default_factory=LogSettings)
