"""What a person fills in, and what of it travels in headers."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from arcane.spi import HttpConnection, connection_headers

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TENANT = re.compile(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?|")


class JaegerSettings(HttpConnection):
    """Where a Jaeger is, how it knows us, and what is known of its storage."""

    url: str = Field(
        title="URL",
        description="Where Jaeger's query service answers, without /api: http://jaeger:16686, base path included.",
        json_schema_extra={"format": "uri"},
    )
    tenant: str = Field(
        default="",
        title="Tenant",
        description="Leave empty when multitenancy is off.",
        max_length=1_000,
    )
    tenant_header: str = Field(
        default="x-tenant",
        title="Tenant header",
        description="What Jaeger's multi_tenancy.header is.",
        max_length=200,
    )
    storage: Literal["unknown", "elasticsearch", "cassandra", "clickhouse", "badger", "memory"] = Field(
        default="unknown",
        title="Storage",
        description="Where Jaeger keeps its spans. Arcane can ask for more, and sooner, when it knows.",
        json_schema_extra={
            "labels": {
                "unknown": "Not known",
                "elasticsearch": "Elasticsearch or OpenSearch",
                "cassandra": "Cassandra",
                "clickhouse": "ClickHouse",
                "badger": "Badger",
                "memory": "Memory",
            }
        },
    )
    longest_trace_minutes: int = Field(
        default=15,
        ge=0,
        le=24 * 60,
        title="Longest trace (minutes)",
        description="Jaeger finds a trace by when its spans began. Windows are widened by this where it matters.",
    )
    max_services: int = Field(
        default=50,
        ge=1,
        le=1_000,
        title="Most services asked",
        description="Where Jaeger wants a service and the query names none, each is asked, up to this many.",
    )
    max_traces: int = Field(
        default=1_000,
        ge=60,
        le=10_000,
        title="Most traces of one request",
        description="Jaeger's search depth. The memory storage refuses more than its own max_traces.",
    )

    @field_validator("tenant")
    @classmethod
    def _is_a_tenant(cls, tenant: str) -> str:
        if not _TENANT.fullmatch(tenant):
            raise ValueError("a tenant is one line of text without spaces around it")
        return tenant

    @field_validator("tenant_header")
    @classmethod
    def _is_a_header(cls, name: str) -> str:
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError("a header's name has letters, digits and dashes")
        return name


def headers_of(settings: JaegerSettings) -> dict[str, str]:
    """Returns what every request carries: the tenant, the credentials, and the custom headers over both."""
    return connection_headers(settings, {settings.tenant_header: settings.tenant} if settings.tenant else {})
