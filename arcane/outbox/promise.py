"""A promise that was claimed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, order=True)
class Promise:
    """A message that was promised; `id` is its place in the outbox, and promises sort by it: oldest first."""

    id: UUID
    queue: str
    headers: dict[str, str]
    body: bytes
