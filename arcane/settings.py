"""Every setting, its default and what it means. Read once at start, from the environment and `.env`.

Names are `ARCANE_<GROUP>__<NAME>`, for instance `ARCANE_DATABASE__URL`; docs/reference/settings.md lists
them all and a test keeps it equal to this file.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseModel):
    """Postgres holds metadata only: never a trace."""

    url: SecretStr | None = Field(
        None,
        description="Owner connection, for `arcane migrate`. Empty: `make up` runs its own Postgres.",
    )
    app_url: SecretStr | None = Field(
        None,
        description="Connection of the running application, as a role that owns nothing. "
        "Empty: `url` with `app_role` and `app_password`.",
    )
    app_role: str = Field("arcane_app", description="Role the application runs as; `arcane migrate` creates it.")
    app_password: SecretStr | None = Field(
        None, description="Password of `app_role`. Empty: derived from the secret key."
    )
    pool_size: int = Field(10, ge=1, le=200, description="Most connections of one backend process.")
    statement_timeout_s: float = Field(120.0, gt=0, description="Longest wait for the answer to one statement.")


class ServerSettings(BaseModel):
    """Where the backend listens and how it is reached."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8085, ge=0, le=65535, description="Port to listen on.")
    public_url: str = Field(
        "http://127.0.0.1:8085",
        description="Address that people and links use. With https, cookies are Secure.",
    )
    max_body_bytes: int = Field(2 * 1024 * 1024, description="Largest request body.")
    request_timeout_s: float = Field(30.0, gt=0, description="Deadline of a request unless it says less.")
    development: bool = Field(False, description="Serves /styleguide and reloads templates.")


class AccessSettings(BaseModel):
    """Signing in."""

    session_days: int = Field(7, ge=1, le=90, description="Days until a session ends.")
    owner_email: str | None = Field(None, description="Headless start: creates the instance owner with this address.")
    owner_password: SecretStr | None = Field(None, description="Headless start: the owner's password.")
    sign_in_attempts: int = Field(
        10, ge=1, description="Failed sign-ins per address and account in 15 minutes before 429."
    )
    invitation_days: int = Field(7, ge=1, description="Days an invitation is valid.")
    password_link_hours: int = Field(24, ge=1, description="Hours a link to a new password is valid.")
    invitation_kept_days: int = Field(
        90, ge=1, description="Days after which invitations that were accepted, revoked or have expired are forgotten."
    )
    audit_days: int = Field(730, ge=30, description="Days after which audit entries are forgotten.")
    retention_hours: float = Field(6.0, gt=0, description="How often it is looked for what is to be forgotten.")
    min_password_length: int = Field(12, ge=8, description="Shortest password.")
    cache_seconds: float = Field(
        30.0,
        ge=0,
        description="Longest time permissions are kept in memory; changes are announced at once over Postgres.",
    )
    cache_entries: int = Field(10_000, ge=1, description="Most sessions and keys whose permissions are kept in memory.")
    last_used_seconds: float = Field(
        30.0, gt=0, description="How often it is written down when sessions and API keys were last used."
    )


class SecretSettings(BaseModel):
    """Keys. The first key encrypts, all keys decrypt; `arcane rotate-secrets` re-encrypts with the first."""

    keys: list[SecretStr] = Field(default_factory=list, description="Key ring: base64 of 32 bytes each, newest first.")


class EgressSettings(BaseModel):
    """Where adapters may connect to."""

    allow_networks: list[str] = Field(
        default_factory=list,
        description="Networks that are allowed although they are loopback, link-local, private or "
        "otherwise reserved, for instance 127.0.0.0/8.",
    )
    allow_schemes: list[str] = Field(default_factory=lambda: ["http", "https"], description="URL schemes.")
    max_response_bytes: int = Field(
        256 * 1024 * 1024, description="Largest response body of a datasource, after decompression."
    )
    connect_timeout_s: float = Field(5.0, gt=0, description="Longest wait for a connection.")
    max_redirects: int = Field(3, ge=0, description="Redirects that are followed, each checked like a first request.")
    max_connections: int = Field(64, ge=1, description="Most connections to one datasource.")


class LimitSettings(BaseModel):
    """Bounds of questions and answers (R7)."""

    search_limit_default: int = Field(50, ge=1, description="Traces in a page of results.")
    search_limit_max: int = Field(1_000, ge=1, description="Most traces a page may ask for.")
    spans_per_trace_max: int = Field(100, ge=1, description="Most matched spans shown of a trace.")
    query_bytes_max: int = Field(32 * 1024, description="Longest query text.")
    datasources_per_search: int = Field(16, ge=1, description="Most datasources one search asks.")
    concurrent_requests: int = Field(64, ge=1, description="Most upstream requests of this process at once.")
    candidates_max: int = Field(
        5_000,
        ge=1,
        description="Most traces looked at for one page when a residual has to be evaluated here.",
    )
    scans_max: int = Field(64, ge=1, description="Most scans of one datasource for one page.")
    lookups_max: int = Field(
        100,
        ge=0,
        description="Most traces of a page that lack their root and are looked for in the other datasources.",
    )
    metrics_points_default: int = Field(120, ge=1, description="Points of a time series where no step is asked for.")
    metrics_points_max: int = Field(2_000, ge=1, description="Most points of a time series.")
    metrics_settle_s: float = Field(
        30.0,
        ge=0,
        description="Spans arrive late: points of the newest seconds are left out where no end is named before.",
    )
    metrics_series_max: int = Field(1_000, ge=1, description="Most series of an answer; more are left out, and told.")
    metrics_compared_max: int = Field(
        20_000, ge=1, description="Most series of compare(): values of attributes, on both sides."
    )
    metrics_exemplars_max: int = Field(200, ge=0, description="Most exemplars of an answer.")
    metrics_traces_max: int = Field(
        50_000, ge=1, description="Most traces of one datasource that are read for a metrics query it cannot answer."
    )
    metrics_scans_max: int = Field(1_000, ge=1, description="Most scans of one datasource for a metrics query.")
    source_timeout_s: float = Field(
        20.0, gt=0, description="Longest wait for one datasource within the request's deadline."
    )
    stream_rows_max: int = Field(5_000_000, ge=1, description="Most traces one streamed answer has.")
    stream_candidates_max: int = Field(
        20_000_000, ge=1, description="Most traces of one datasource looked at for one streamed answer."
    )
    stream_scans_max: int = Field(100_000, ge=1, description="Most scans of one datasource for one streamed answer.")
    stream_batch: int = Field(500, ge=1, description="Most traces a streamed answer asks a datasource for at once.")
    stream_seen_max: int = Field(
        10_000, ge=1, description="Traces a streamed answer remembers, so that parts of a split trace find each other."
    )
    stream_timeout_s: float = Field(3_600.0, gt=0, description="Longest time one streamed answer takes.")
    datasources_per_organisation: int = Field(500, ge=1, description="Most datasources of one organisation.")
    scores_per_project: int = Field(500, ge=1, description="Most scores of one project, beside the built-in ones.")
    adapters_max: int = Field(256, ge=1, description="Most live connections to datasources kept by one process.")
    adapter_idle_s: float = Field(900.0, gt=0, description="A live connection that nobody used this long is closed.")
    adapter_grace_s: float = Field(
        60.0, ge=0, description="How long a replaced connection stays for requests that began with it."
    )
    connection_test_s: float = Field(10.0, gt=0, description="Longest wait when a connection is tested.")
    conformance_s: float = Field(
        300.0, gt=0, description="Longest that `arcane check-datasource --conformance` takes for all of its questions."
    )


class ResilienceSettings(BaseModel):
    """What happens when a datasource stumbles: its requests are repeated, and then it is left in peace."""

    retries: int = Field(2, ge=0, le=10, description="How often a request that was not answered is sent again.")
    retry_wait_s: float = Field(
        0.1, gt=0, description="Wait before the first repetition; each further one waits twice as long."
    )
    retry_wait_max_s: float = Field(
        5.0, gt=0, description="Longest such wait. A datasource's own `Retry-After` may be longer, and is kept to."
    )
    breaker_faults: int = Field(
        5, ge=1, description="Faults in a row (time-outs, connections, 5xx) after which a datasource is not asked."
    )
    breaker_pause_s: float = Field(
        10.0, gt=0, description="How long it is not asked before one call tries again; doubles with each failure."
    )
    breaker_pause_max_s: float = Field(120.0, gt=0, description="Longest such pause.")
    breaker_slow_s: float = Field(
        1.0, ge=0, description="A time-out counts as a fault only where the datasource had at least this long."
    )
    latency_window: int = Field(256, ge=1, description="Latest answers of which the median and 95 % latency are shown.")


class CacheSettings(BaseModel):
    """Answers kept in memory, after redaction, for those who ask the same and may see the same. Off by default."""

    max_bytes: int = Field(0, ge=0, description="Memory for kept answers, as encoded. 0: none are kept.")
    ttl_s: float = Field(60.0, ge=0, description="How long an answer about a range that is over is kept.")
    recent_ttl_s: float = Field(
        0.0, ge=0, description="The same for a range that touches the present, where spans still arrive. 0: not kept."
    )
    settled_s: float = Field(300.0, ge=0, description="A range is over when it ended this long ago.")


class LiveSettings(BaseModel):
    """Watching: tails of queries, and traces that are followed. One poller a question, however many watch."""

    poll_s: float = Field(2.0, gt=0, description="Time between two polls of a datasource, or of a trace.")
    overlap_s: float = Field(
        30.0, ge=0, description="How far below the last poll the next one reaches, for spans that arrive late."
    )
    catch_up_s: float = Field(
        300.0, ge=0, description="How far back a tail goes on that was interrupted, or whose datasource was away."
    )
    rows_per_poll: int = Field(
        4_000,
        ge=1,
        le=100_000,
        description="Most traces that one poll of a datasource reads: those of the overlap, and what is new.",
    )
    pages_per_poll: int = Field(4, ge=1, le=100, description="Most pages that one poll reads them in.")
    log_length: int = Field(
        5_000,
        ge=1,
        description="Traces kept for who watches a tail; who falls behind further is told how many were missed.",
    )
    traces_remembered: int = Field(
        10_000, ge=1, description="Latest traces of a tail that are known as told, so that they are not told twice."
    )
    watchers_max: int = Field(200, ge=1, description="Most live views of one process at once.")
    watchers_per_caller: int = Field(20, ge=1, description="Most live views of one person or API key at once.")
    recheck_s: float = Field(
        5.0, gt=0, description="How often a live view that nothing happens in looks whether its caller may still watch."
    )
    life_s: float = Field(
        1_800.0, gt=0, description="Longest life of one connection; whoever watches comes back and goes on by itself."
    )
    quiet_s: float = Field(60.0, gt=0, description="A live trace to which nothing was added for this long is done.")
    fresh_s: float = Field(
        120.0, ge=0, description="A trace page follows by itself a trace whose last span ended this recently."
    )


class FileSettings(BaseModel):
    """What the otlp_file adapter may read."""

    allow_roots: list[Path] = Field(
        default_factory=list, description="Folders below which otlp_file datasources may read. Empty: none."
    )
    max_index_bytes: int = Field(256 * 1024 * 1024, description="Memory for the index of one datasource.")


class BrokerSettings(BaseModel):
    """How jobs travel."""

    url: SecretStr | None = Field(
        None, description="amqp://, amqps://, kafka:// or kafka+ssl://. Empty: jobs are kept in Postgres."
    )
    retry_delays_s: list[float] = Field(
        default_factory=lambda: [60.0, 600.0],
        min_length=1,
        max_length=10,
        description="Seconds a failed job waits before its second, third, ... try; then it is a dead letter. "
        "Backend and workers need the same.",
    )
    lease_s: float = Field(
        30.0, ge=1, description="A job kept in Postgres whose worker was not heard so long goes to another one."
    )


class JobSettings(BaseModel):
    """The ledger of jobs."""

    deadline_s: float = Field(600.0, gt=0, description="Longest one try of a job takes, unless its run says otherwise.")
    claims_max: int = Field(
        20,
        ge=1,
        description="How often one try is handed out, each time to a worker that is lost, before its job is given up.",
    )
    sweep_s: float = Field(10.0, gt=0, description="How often jobs are looked for that no message speaks of.")
    stuck_s: float = Field(
        300.0,
        gt=0,
        description="A job that waits this long while others are handed out, or runs this long past its deadline, "
        "gets a new message.",
    )


class WorkerSettings(BaseModel):
    """How workers and the backend know each other."""

    key: SecretStr | None = Field(
        None,
        min_length=32,
        description="Shared by the backend and its workers: signs what they send each other. Empty: no workers.",
    )


class DatasetSettings(BaseModel):
    """Bounds of datasets."""

    per_project: int = Field(1_000, ge=1, description="Most datasets of one project.")
    rows_max: int = Field(1_000_000, ge=1, description="Most rows of one dataset.")
    columns_max: int = Field(200, ge=1, le=1_000, description="Most columns of one dataset.")
    cell_bytes_max: int = Field(1024 * 1024, ge=1, description="Longest cell, as UTF-8 or as JSON.")
    edits_max: int = Field(1_000, ge=1, description="Most rows that one request adds, changes or deletes.")
    splits_max: int = Field(50, ge=1, description="Most splits of one dataset.")
    search_s: float = Field(10.0, gt=0, description="Longest time that searching or sorting rows takes.")
    file_bytes_max: int = Field(512 * 1024 * 1024, ge=1, description="Largest file that is imported.")
    file_problems_max: int = Field(50, ge=1, description="Bad rows of a file that are named; all are counted.")
    files_at_once: int = Field(2, ge=1, description="Most files that one process reads or writes at once.")
    file_s: float = Field(600.0, gt=0, description="Longest time that reading or writing a file takes.")
    patience_s: float = Field(5.0, gt=0, description="How long a change waits for another one of the same dataset.")
    captures_max: int = Field(200, ge=1, le=500, description="Most rows that one request captures from traces.")
    captured_spans_max: int = Field(20, ge=1, le=100, description="Most spans of one trace that a search captures.")
    captures_at_once: int = Field(8, ge=1, description="Most traces that one capture reads at once.")


class PromptSettings(BaseModel):
    """Prompts, their versions, and what is kept of their runs."""

    prompts: int = Field(2_000, ge=1, description="Most prompts of a project.")
    versions: int = Field(5_000, ge=1, description="Most versions of a prompt.")
    labels: int = Field(20, ge=1, le=100, description="Most labels of a prompt.")
    messages: int = Field(100, ge=1, description="Most messages of a version.")
    version_bytes: int = Field(1024 * 1024, ge=1024, description="Largest version, as JSON.")
    kept_bytes: int = Field(
        64 * 1024, ge=0, description="What is kept of a run's inputs, and of its answer; longer ones are cut."
    )
    kept_days: int = Field(30, ge=1, description="Days after which runs are forgotten.")


class ModelSettings(BaseModel):
    """Language models; how a worker calls them is among the worker's settings."""

    per_organisation: int = Field(200, ge=1, description="Most model configurations of one organisation.")
    run_s: float = Field(300.0, gt=0, description="Longest run of a prompt that somebody waits for.")


class LogSettings(BaseModel):
    """What is written about what happens. Never trace content."""

    level: str = Field("info", description="debug, info, warning or error.")
    json_lines: bool = Field(False, description="One JSON object a line instead of text.")


class EvaluationSettings(BaseModel):
    """Experiments and evaluations."""

    rows_max: int = Field(1_000_000, ge=1, description="Most rows of an experiment.")
    results_max: int = Field(2_000_000, ge=1, description="Most results of an evaluation: subjects times scores.")
    hits_max: int = Field(10_000, ge=1, description="Most traces that an evaluation of a query lists.")
    estimate_rows: int = Field(200, ge=1, description="Rows that are measured for an estimate of the cost.")
    reads_at_once: int = Field(8, ge=1, description="Traces that are read at once for jobs of one claim.")
    read_timeout_s: float = Field(20.0, gt=0, description="Longest time that traces are read for one claim.")
    list_timeout_s: float = Field(30.0, gt=0, description="Longest time of one search for traces to judge.")
    lease_s: float = Field(120.0, gt=0, description="How long a process that lists traces has an evaluation to itself.")
    live_every_s: float = Field(15.0, gt=0, description="How often a live evaluation looks for new traces.")
    live_quiet_s: float = Field(60.0, ge=0, description="A trace is judged when nothing was added for this long.")
    live_window_s: float = Field(900.0, gt=0, description="Most time that a live evaluation looks through at once.")
    live_lookback_s: float = Field(
        600.0, ge=0, description="How far behind its watermark a live evaluation looks for traces that were late."
    )


class Settings(BaseSettings):
    """All settings of a process."""

    model_config = SettingsConfigDict(
        env_prefix="ARCANE_", env_nested_delimiter="__", env_file=".env", env_ignore_empty=True, extra="forbid"
    )

    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    server: ServerSettings = Field(default_factory=ServerSettings)
    access: AccessSettings = Field(default_factory=AccessSettings)
    secrets: SecretSettings = Field(default_factory=SecretSettings)
    egress: EgressSettings = Field(default_factory=EgressSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    resilience: ResilienceSettings = Field(default_factory=ResilienceSettings)
    cache: CacheSettings = Field(default_factory=CacheSettings)
    live: LiveSettings = Field(default_factory=LiveSettings)
    files: FileSettings = Field(default_factory=FileSettings)
    broker: BrokerSettings = Field(default_factory=BrokerSettings)
    jobs: JobSettings = Field(default_factory=JobSettings)
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    datasets: DatasetSettings = Field(default_factory=DatasetSettings)
    prompts: PromptSettings = Field(default_factory=PromptSettings)
    evaluations: EvaluationSettings = Field(default_factory=EvaluationSettings)
    models: ModelSettings = Field(default_factory=ModelSettings)
    log: LogSettings = Field(default_factory=LogSettings)
