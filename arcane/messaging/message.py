"""A message as brokers carry it: a body nobody but its receiver reads, and what has to be known without reading it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import NAMESPACE_OID, UUID, uuid5

import msgspec

from arcane.messaging.envelope import UnreadableMessage

VERSION = 1
CONTENT_TYPE = "application/json"
DEAD = ".dead"
"""What the name of a dead letter queue ends with."""
_ERROR_MAX = 500
_FAILURES_MAX = 20


class Failure(msgspec.Struct, frozen=True, gc=False):
    """One try that did not succeed. `error` is fit to be kept: no content of traces, no secrets."""

    at: datetime
    error: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `id` names the work: two messages with the same id are the same work.

    Messages of one `key` (an organisation's id) stay in order where the broker keeps an order.
    `traceparent` joins what happens here and there to one trace (W3C trace context).
    """

    id: UUID
    queue: str
    key: str
    body: bytes
    version: int = VERSION
    content_type: str = CONTENT_TYPE
    correlation_id: str = ""
    traceparent: str = ""
    failures: tuple[Failure, ...] = ()

    @property
    def attempt(self) -> int:
        """Which try this is, from 1."""
        return len(self.failures) + 1

    def failed(self, error: str, at: datetime) -> Message:
        """Returns the message with one more failure in its history."""
        failure = Failure(at, error[:_ERROR_MAX])
        return msgspec.structs.replace(self, failures=(*self.failures, failure)[-_FAILURES_MAX:])

    def buried(self) -> Message:
        """Returns the message as a dead letter of its queue; a dead letter stays where it is."""
        return self if self.queue.endswith(DEAD) else msgspec.structs.replace(self, queue=self.queue + DEAD)

    def revived(self) -> Message:
        """Returns the message as it was before its first try, for the queue it was in before it was dead."""
        return msgspec.structs.replace(self, queue=self.queue.removesuffix(DEAD), failures=())


def headers_of(message: Message) -> dict[str, str]:
    """Returns everything but the queue and the body as text, the way every broker can carry it."""
    headers = {
        "arcane-id": str(message.id),
        "arcane-key": message.key,
        "arcane-version": str(message.version),
        "arcane-attempt": str(message.attempt),
        "content-type": message.content_type,
    }
    if message.correlation_id:
        headers["arcane-correlation-id"] = message.correlation_id
    if message.traceparent:
        headers["traceparent"] = message.traceparent
    if message.failures:
        headers["arcane-failures"] = msgspec.json.encode(message.failures).decode()
    return headers


def message_of(queue: str, headers: Mapping[str, str], body: bytes) -> Message:
    """Returns the message that `headers_of` wrote. Raises UnreadableMessage."""
    try:
        failures = msgspec.json.decode(headers.get("arcane-failures", "[]"), type=tuple[Failure, ...])
        return Message(
            id=UUID(headers["arcane-id"]),
            queue=queue,
            key=headers["arcane-key"],
            body=body,
            version=int(headers["arcane-version"]),
            content_type=headers["content-type"],
            correlation_id=headers.get("arcane-correlation-id", ""),
            traceparent=headers.get("traceparent", ""),
            failures=failures,
        )
    except (KeyError, ValueError, msgspec.MsgspecError) as exc:
        raise UnreadableMessage(f"not a message of ours: {type(exc).__name__}") from exc


def unreadable(queue: str, body: bytes, error: str, at: datetime) -> Message:
    """Returns a message that stands for one without readable headers, so that it can be kept as a dead letter."""
    return Message(id=uuid5(NAMESPACE_OID, body.hex()), queue=queue, key="", body=body, failures=(Failure(at, error),))
