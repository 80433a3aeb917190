"""What a person fills in."""

from __future__ import annotations

from pydantic import BaseModel, Field


class MemorySettings(BaseModel):
    """Traces that live as long as the process: to try a query or a page on a handful of spans."""

    document: str = Field(
        default="",
        title="Traces",
        description="OTLP JSON, one document a line. Kept with the settings, so nothing that is secret.",
        max_length=200_000,
        json_schema_extra={"multiline": True},
    )
