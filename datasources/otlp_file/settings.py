"""What a person fills in."""

from __future__ import annotations

from pydantic import BaseModel, Field, field_validator


class OtlpFileSettings(BaseModel):
    """Which files."""

    path: str = Field(
        title="Path",
        description="A file, a folder or a pattern such as traces/**/*.jsonl, below one of this instance's file "
        "roots. What does not begin with / is looked for in each of them.",
        min_length=1,
        max_length=4_096,
    )

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, path: str) -> str:
        if "\0" in path:
            raise ValueError("a path has no zero byte")
        return path.strip()
