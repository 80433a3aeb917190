"""What a person fills in, and what of it travels in headers."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x1f\x7f]*)")
_OWN = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept", "accept-encoding"})
_TENANT = re.compile(r"[0-9A-Za-z!\-_.*'()|]*")


class TempoSettings(BaseModel):
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
    auth: Literal["none", "basic", "bearer"] = Field(
        default="none",
        title="Authentication",
        json_schema_extra={"labels": {"none": "None", "basic": "User and password", "bearer": "Token"}},
    )
    username: str = Field(
        default="",
        title="User",
        description="For basic authentication.",
        json_schema_extra={"when": {"auth": ["basic"]}},
    )
    password: SecretStr = Field(
        default=SecretStr(""),
        title="Password",
        description="For basic authentication.",
        json_schema_extra={"when": {"auth": ["basic"]}},
    )
    token: SecretStr = Field(
        default=SecretStr(""),
        title="Token",
        description="For bearer authentication.",
        json_schema_extra={"when": {"auth": ["bearer"]}},
    )
    extra_headers: SecretStr = Field(
        default=SecretStr(""),
        title="More headers",
        description="One a line, `Name: value`. Sent with every request, to this address only.",
        json_schema_extra={"multiline": True},
    )
    max_range_hours: int = Field(
        default=168,
        ge=1,
        le=24 * 366,
        title="Longest window (hours)",
        description="What Tempo's query_frontend.search.max_duration is. Longer searches are split.",
    )

    @field_validator("url")
    @classmethod
    def _is_a_base_url(cls, url: str) -> str:
        parts = urlsplit(url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address begins with http:// or https://")
        if parts.username is not None or parts.password is not None:
            raise ValueError("user and password have their own fields")
        if parts.query or parts.fragment:
            raise ValueError("an address has no ? and no #")
        return url.strip().rstrip("/")

    @field_validator("tenant")
    @classmethod
    def _is_a_tenant(cls, tenant: str) -> str:
        if not _TENANT.fullmatch(tenant):
            raise ValueError("a tenant has letters, digits and ! - _ . * ' ( ), and | between several")
        return tenant

    @field_validator("extra_headers")
    @classmethod
    def _are_headers(cls, text: SecretStr) -> SecretStr:
        parse_headers(text.get_secret_value())
        return text

    @model_validator(mode="after")
    def _has_its_credentials(self) -> TempoSettings:
        if self.auth == "basic" and not self.username:
            raise ValueError("basic authentication needs a user")
        if self.auth == "bearer" and not self.token.get_secret_value():
            raise ValueError("bearer authentication needs a token")
        return self


def parse_headers(text: str) -> dict[str, str]:
    """Returns header name -> value; raises ValueError naming the line, never its content."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _HEADER.fullmatch(line.strip())
        if match is None:
            raise ValueError(f"line {number} is not `Name: value`")
        if match[1].lower() in _OWN:
            raise ValueError(f"line {number} sets a header that is not yours to set")
        found[match[1]] = match[2]
    return found


def headers_of(settings: TempoSettings) -> dict[str, str]:
    """Returns what every request carries: the tenant, the credentials, and the custom headers over both."""
    headers: dict[str, str] = {}
    if settings.tenant:
        headers["X-Scope-OrgID"] = settings.tenant
    if settings.auth == "basic":
        pair = f"{settings.username}:{settings.password.get_secret_value()}"
        headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode()
    elif settings.auth == "bearer":
        headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
    return headers | parse_headers(settings.extra_headers.get_secret_value())
