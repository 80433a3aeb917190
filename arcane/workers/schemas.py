"""What the API says about workers."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel


class Worker(BaseModel):
    """A worker that was heard in the last half minute."""

    name: str
    version: str
    started_at: datetime
    heard_at: datetime
    runs: list[str]


class Workers(BaseModel):
    """All workers of this instance."""

    items: list[Worker]
    next: None
