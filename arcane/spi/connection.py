"""What a person fills in so that a backend can be reached over HTTP, and what of it travels in headers.

Shared by every kind whose backend has a URL and the usual credentials. How requests are sent, TLS and
the rules of egress are the host's: an adapter only says where, and as whom.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x1f\x7f]*)")
_OWN = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept", "accept-encoding"})


class HttpConnection(BaseModel):
    """Where a backend is and how it knows us: the base of a kind's settings, which adds its own fields.

    A subclass that says more about the address declares `url` again; it stays where it is on the form.
    """

    url: str = Field(
        title="URL",
        description="Where the backend answers, with http:// or https://.",
        json_schema_extra={"format": "uri"},
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

    @field_validator("extra_headers")
    @classmethod
    def _are_headers(cls, text: SecretStr) -> SecretStr:
        _parsed(text.get_secret_value())
        return text

    @model_validator(mode="after")
    def _has_its_credentials(self) -> Self:
        if self.auth == "basic" and not self.username:
            raise ValueError("basic authentication needs a user")
        if self.auth == "bearer" and not self.token.get_secret_value():
            raise ValueError("bearer authentication needs a token")
        return self


def connection_headers(connection: HttpConnection, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Returns what every request carries: the kind's `own` headers, the credentials, and the person's over both."""
    headers = dict(own or {})
    if connection.auth == "basic":
        pair = f"{connection.username}:{connection.password.get_secret_value()}"
        headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode()
    elif connection.auth == "bearer":
        headers["Authorization"] = f"Bearer {connection.token.get_secret_value()}"
    theirs = _parsed(connection.extra_headers.get_secret_value())
    replaced = {name.lower() for name in theirs}
    return {name: value for name, value in headers.items() if name.lower() not in replaced} | theirs


def _parsed(text: str) -> dict[str, str]:
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
