"""What a person fills in, and what of it travels in headers."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from arcane.spi import HttpConnection, connection_headers

_TENANT = re.compile(r"[0-9A-Za-z!\-_.*'()|]*")


class TempoSettings(HttpConnection):
    """Where a Tempo is and how it knows us."""

    url: str = Field(
        title="URL",
        description="Where Tempo answers, without /api: http://tempo:3200, or https://host/tempo behind a proxy.",
        json_schema_extra={"format": "uri"},
    )
    tenant: str = Field(
        default="",
        title="Tenant",
        description="Sent as X-Scope-OrgID. Leave empty when multitenancy is off.",
        max_length=1_000,
    )
    max_range_hours: int = Field(
        default=168,
        ge=1,
        le=24 * 366,
        title="Longest window (hours)",
        description="What Tempo's query_frontend.search.max_duration is. Longer searches are split.",
    )
    metrics_range_hours: int = Field(
        default=24,
        ge=1,
        le=24 * 366,
        title="Longest metrics window (hours)",
        description="What Tempo's query_frontend.metrics.max_duration is. Longer metrics queries are split.",
    )

    @field_validator("tenant")
    @classmethod
    def _is_a_tenant(cls, tenant: str) -> str:
        if not _TENANT.fullmatch(tenant):
            raise ValueError("a tenant has letters, digits and ! - _ . * ' ( ), and | between several")
        return tenant


def headers_of(settings: TempoSettings) -> dict[str, str]:
    """Returns what every request carries: the tenant, the credentials, and the custom headers over both."""
    return connection_headers(settings, {"X-Scope-OrgID": settings.tenant} if settings.tenant else {})
