"""What travels between the backend and its workers: an envelope around a body of a declared kind."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec

BodyType = TypeVar("BodyType", bound="Body")


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What an envelope holds; its tag names the kind. A field that we do not know is a newer sender's."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `id` makes a second delivery recognisable."""

    id: UUID
    kind: str
    sent_at: datetime
    body: msgspec.Raw

    @classmethod
    def around(cls, body: Body, *, id: UUID, sent_at: datetime) -> Envelope:
        """Returns the envelope that carries `body`."""
        kind = str(type(body).__struct_config__.tag)
        return cls(id=id, kind=kind, sent_at=sent_at, body=msgspec.Raw(msgspec.json.encode(body)))

    @classmethod
    def read(cls, raw: bytes) -> Envelope:
        """Returns the envelope as it travelled. Raises UnreadableMessage."""
        try:
            return msgspec.json.decode(raw, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise UnreadableMessage(f"not an envelope: {exc}") from exc

    def content(self, kind: type[BodyType]) -> BodyType:
        """Returns the body as `kind`. Raises UnreadableMessage when it is another one."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise UnreadableMessage(f"not a {kind.__struct_config__.tag}: {exc}") from exc


class UnreadableMessage(ValueError):
    """Not an envelope, or not of the kind that was asked for."""
