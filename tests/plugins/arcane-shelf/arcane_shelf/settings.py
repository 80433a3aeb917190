"""What a person fills in."""

from __future__ import annotations

from pydantic import BaseModel, Field, SecretStr


class ShelfSettings(BaseModel):
    """Where a Shelf is, and the key to it."""

    url: str = Field(
        title="URL",
        description="Where Shelf answers.",
        pattern=r"https?://[^/?#@]+.*",
        json_schema_extra={"format": "uri", "placeholder": "http://shelf:7070"},
    )
    key: SecretStr = Field(default=SecretStr(""), title="Key", description="Sent as X-Shelf-Key.")
