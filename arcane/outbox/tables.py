"""Messages in Postgres: those that are promised to a broker, and those that are kept here because there is none."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, Index, LargeBinary, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from arcane.kit.tables import Row, now


class PromisedMessage(Row, table=True):
    """A message that was promised in a transaction and that no broker has confirmed yet.

    A relay that publishes it moves `visible_at` ahead, so that no other one does; the promise is visible
    again when that relay died. With `copies` it stands for as many messages, one for each of these ids.
    """

    __tablename__ = "outbox_messages"
    __table_args__ = (Index(None, "visible_at", "id"),)

    queue: str = Field(sa_type=Text)
    headers: dict[str, Any] = Field(sa_type=JSONB)
    body: bytes = Field(sa_type=LargeBinary)
    visible_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    copies: list[UUID] | None = Field(default=None, sa_type=ARRAY(Uuid))


class QueuedMessage(Row, table=True):
    """A message of the embedded broker: the rows of one `queue` are the queue.

    It may be lent out from `visible_at` on. While it is lent, that lies ahead, and `lease` is what its
    holder shows; a holder that vanishes leaves it visible again when the lease ends.
    """

    __tablename__ = "queued_messages"
    __table_args__ = (
        UniqueConstraint("queue", "message_id"),
        CheckConstraint("deliveries >= 0", name="deliveries_counted"),
        Index(None, "queue", "visible_at", "id"),
    )

    queue: str = Field(sa_type=Text)
    message_id: UUID
    headers: dict[str, Any] = Field(sa_type=JSONB)
    body: bytes = Field(sa_type=LargeBinary)
    visible_at: datetime = Field(default_factory=now, sa_type=DateTime(timezone=True))
    lease: UUID | None = None
    deliveries: int = 0
