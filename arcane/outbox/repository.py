"""The statements of the outbox and of the embedded broker. Each is one round trip, whatever the number of messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, TextClause, func, insert, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.kit.ids import new_id
from arcane.messaging.message import Message, headers_of
from arcane.outbox.promise import Promise
from arcane.outbox.tables import PromisedMessage

_PROMISE = text(
    "INSERT INTO outbox_messages (id, created_at, queue, headers, body, visible_at) "
    "SELECT id, now(), queue, headers::jsonb, body, now() "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:queues AS text[]), CAST(:headers AS text[]), CAST(:bodies AS bytea[])) "
    "AS given(id, queue, headers, body)"
)
_PROMISED_COLUMNS = ["id", "created_at", "queue", "headers", "body", "visible_at", "copies"]
_CLAIM = text(
    "WITH oldest AS (SELECT id, visible_at, coalesce(cardinality(copies), 1) AS messages FROM outbox_messages "
    "WHERE visible_at <= now() ORDER BY visible_at, id LIMIT :most FOR UPDATE SKIP LOCKED), "
    "counted AS (SELECT id, sum(messages) OVER (ORDER BY visible_at, id) - messages AS before FROM oldest), "
    "picked AS (SELECT id FROM counted WHERE before < :most) "
    "UPDATE outbox_messages AS promised SET visible_at = now() + make_interval(secs => :claim_s) "
    "FROM picked WHERE promised.id = picked.id "
    "RETURNING promised.id, promised.queue, promised.headers, promised.body, promised.copies"
)
_UNCLAIM = text(
    "UPDATE outbox_messages SET visible_at = now() + make_interval(secs => :delay_s) "
    "WHERE id = ANY(CAST(:ids AS uuid[]))"
)
_COPIES = 500
"""How many messages one promise stands for: as many as a relay publishes at once."""
_KEPT = text("DELETE FROM outbox_messages WHERE id = ANY(CAST(:ids AS uuid[]))")
_PUT = text(
    "INSERT INTO queued_messages (id, created_at, queue, message_id, headers, body, visible_at, deliveries) "
    "SELECT id, now(), queue, message_id, headers::jsonb, body, now(), 0 "
    "FROM unnest(CAST(:ids AS uuid[]), CAST(:queues AS text[]), CAST(:message_ids AS uuid[]), "
    "CAST(:headers AS text[]), CAST(:bodies AS bytea[])) AS given(id, queue, message_id, headers, body) "
    "ON CONFLICT (queue, message_id) DO NOTHING"
)
_LEASE = text(
    "WITH picked AS (SELECT id FROM queued_messages WHERE queue = :queue AND visible_at <= now() "
    "ORDER BY visible_at, id LIMIT :most FOR UPDATE SKIP LOCKED) "
    "UPDATE queued_messages AS kept SET lease = :lease, deliveries = deliveries + 1, "
    "visible_at = now() + make_interval(secs => :lease_s) "
    "FROM picked WHERE kept.id = picked.id RETURNING kept.id, kept.headers, kept.body, kept.deliveries"
)
_ACK = text(
    "DELETE FROM queued_messages "
    "WHERE (id, lease) IN (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS uuid[]))) RETURNING id"
)
_RELEASE = text(
    "UPDATE queued_messages SET lease = NULL, visible_at = now() "
    "WHERE (id, lease) IN (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS uuid[]))) RETURNING id"
)
_EXTEND = text(
    "UPDATE queued_messages SET visible_at = now() + make_interval(secs => :lease_s) "
    "WHERE (id, lease) IN (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS uuid[]))) RETURNING id"
)
_LOCK = text("SELECT queue, headers, body FROM queued_messages WHERE id = :id AND lease = :lease FOR UPDATE")
_FAIL = text(
    "UPDATE queued_messages SET queue = :queue, headers = CAST(:headers AS jsonb), lease = NULL, deliveries = 0, "
    "visible_at = now() + make_interval(secs => :delay_s) WHERE id = :id"
)
_DISCARD_DOUBLE = text("DELETE FROM queued_messages WHERE queue = :queue AND message_id = :message_id AND id <> :id")
"""A message that was sent again from the dead letter queue may die again before its dead letter was discarded."""


@dataclass(frozen=True, slots=True)
class MessageRepository:
    """Works inside one transaction of the instance."""

    session: AsyncSession

    async def promise(self, messages: Sequence[Message]) -> None:
        """The messages are in the outbox."""
        await self.session.execute(_PROMISE, _columns(messages))

    async def promise_each(self, template: Message, ids: Select[UUID]) -> None:
        """A copy of `template` is promised for each of `ids`; one row stands for many of them."""
        each = ids.subquery()
        numbered = select(each.c[0].label("id"), func.row_number().over(order_by=each.c[0]).label("number")).subquery()
        rows = select(
            func.gen_random_uuid(),
            func.now(),
            literal(template.queue),
            literal(headers_of(template), JSONB),
            literal(template.body),
            func.now(),
            func.array_agg(numbered.c.id),
        ).group_by((numbered.c.number - 1) // _COPIES)
        await self.session.execute(insert(PromisedMessage).from_select(_PROMISED_COLUMNS, rows, include_defaults=False))

    async def claim(self, most: int, claim_s: float) -> list[Promise]:
        """Returns the oldest promises that nobody else is at, in order; they are ours for `claim_s`.

        They are `most` messages, or as many more as the last of them has copies.
        """
        rows = (await self.session.execute(_CLAIM, {"most": most, "claim_s": claim_s})).all()
        return sorted(
            Promise(row.id, row.queue, row.headers, row.body, row.copies and tuple(row.copies)) for row in rows
        )

    async def unclaim(self, ids: Sequence[UUID], delay_s: float) -> None:
        """The promises can be claimed again after a while."""
        await self.session.execute(_UNCLAIM, {"ids": list(ids), "delay_s": delay_s})

    async def kept(self, ids: Sequence[UUID]) -> None:
        """The promises are kept, and gone."""
        await self.session.execute(_KEPT, {"ids": list(ids)})

    async def put(self, messages: Sequence[Message]) -> None:
        """The messages are in their queues; one that is there already is not there twice."""
        columns = _columns(messages) | {"message_ids": [message.id for message in messages]}
        await self.session.execute(_PUT, columns)

    async def lease(self, queue: str, most: int, lease: UUID, lease_s: float) -> Sequence[Row[tuple[object, ...]]]:
        """Returns id, headers, body and deliveries of what is lent from now on."""
        values = {"queue": queue, "most": most, "lease": lease, "lease_s": lease_s}
        return (await self.session.execute(_LEASE, values)).all()

    async def ack(self, held: Sequence[tuple[UUID, UUID]]) -> set[UUID]:
        """Returns the ids that were ours; they are gone."""
        return await self._of_held(_ACK, held)

    async def release(self, held: Sequence[tuple[UUID, UUID]]) -> set[UUID]:
        """Returns the ids that were ours; they may be lent to anybody."""
        return await self._of_held(_RELEASE, held)

    async def extend(self, held: Sequence[tuple[UUID, UUID]], lease_s: float) -> set[UUID]:
        """Returns the ids that are ours, for another while."""
        return await self._of_held(_EXTEND, held, lease_s=lease_s)

    async def locked(self, id: UUID, lease: UUID) -> tuple[str, dict[str, str], bytes] | None:
        """Returns queue, headers and body of a message that we hold, and keeps others off it; None when it is lost."""
        row = (await self.session.execute(_LOCK, {"id": id, "lease": lease})).one_or_none()
        return None if row is None else (row.queue, row.headers, row.body)

    async def fail(self, id: UUID, message: Message, delay_s: float) -> None:
        """The message is in `message.queue` with its history, visible after the delay."""
        double = {"queue": message.queue, "message_id": message.id, "id": id}
        await self.session.execute(_DISCARD_DOUBLE, double)
        headers = msgspec.json.encode(headers_of(message)).decode()
        values = {"id": id, "queue": message.queue, "headers": headers, "delay_s": delay_s}
        await self.session.execute(_FAIL, values)

    async def _of_held(self, statement: TextClause, held: Sequence[tuple[UUID, UUID]], **values: float) -> set[UUID]:
        if not held:
            return set()
        columns = {"ids": [id for id, _ in held], "leases": [lease for _, lease in held], **values}
        return set((await self.session.execute(statement, columns)).scalars())


def _columns(messages: Sequence[Message]) -> dict[str, list[object]]:
    return {
        "ids": [new_id() for _ in messages],
        "queues": [message.queue for message in messages],
        "headers": [msgspec.json.encode(headers_of(message)).decode() for message in messages],
        "bodies": [message.body for message in messages],
    }
