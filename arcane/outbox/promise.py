"""A promise that was claimed."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from arcane.messaging.message import Message, message_of


@dataclass(frozen=True, slots=True, order=True)
class Promise:
    """Messages that were promised; `id` is their place in the outbox, and promises sort by it: oldest first.

    Without `copies` it is one message. With them it is a template, and there is a copy of it for each of these ids:
    the same message, with that id wherever the template has its own.
    """

    id: UUID
    queue: str
    headers: dict[str, str]
    body: bytes
    copies: tuple[UUID, ...] | None = None

    def messages(self) -> list[Message]:
        """Returns what is to be published."""
        if self.copies is None:
            return [message_of(self.queue, self.headers, self.body)]
        own = self.headers["arcane-id"]
        return [self._copy(own, str(id)) for id in self.copies]

    def _copy(self, own: str, id: str) -> Message:
        headers = {name: value.replace(own, id) for name, value in self.headers.items()}
        return message_of(self.queue, headers, self.body.replace(own.encode(), id.encode()))
