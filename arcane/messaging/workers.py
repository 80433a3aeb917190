"""What a worker says about itself."""

from __future__ import annotations

from datetime import datetime

from arcane.messaging.envelope import Body
from arcane.messaging.scoring import ScorerDescription

ANNOUNCEMENTS_PATH = "/internal/v1/workers/announcements"
HEARTBEAT_S = 10.0
SILENCE_S = 3 * HEARTBEAT_S
"""A worker that was not heard for so long is taken to be gone."""


class WorkerAnnouncement(Body, frozen=True, kw_only=True, tag="worker_announcement"):
    """A worker is there and can run what `runs` names (tags of specs). Sent at start and as a heartbeat.

    `url` is where the backend reaches it for what a person waits for; empty: it does no such thing.
    """

    name: str
    version: str
    started_at: datetime
    runs: tuple[str, ...]
    scorers: tuple[ScorerDescription, ...] = ()
    url: str = ""
