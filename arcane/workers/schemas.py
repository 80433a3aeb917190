"""What the API says about workers."""

from __future__ import annotations

from datetime import datetime

from arcane.kit.schema import Schema


class Worker(Schema):
    """A worker that was heard in the last half minute."""

    name: str
    version: str
    started_at: datetime
    heard_at: datetime
    runs: list[str]


class Workers(Schema):
    """All workers of this instance."""

    items: list[Worker]
    next: None
