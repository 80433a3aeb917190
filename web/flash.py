"""A sentence for the next page a person sees ("Datasource saved."), carried in a cookie that is read once."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

COOKIE = "arcane_flash"
_MOST = 4
_LONGEST = 300

Tone = Literal["ok", "warn", "error"]


class Flash(msgspec.Struct, frozen=True):
    """One message; `text` is shown as text, never as markup."""

    text: str
    tone: Tone = "ok"


@dataclass(frozen=True, slots=True)
class Flashes:
    """The messages that came with a request."""

    messages: tuple[Flash, ...]

    @classmethod
    def of(cls, request: Request) -> Flashes:
        """Returns what the cookie holds; a cookie that is not ours holds nothing."""
        try:
            raw = base64.urlsafe_b64decode(request.cookies.get(COOKIE, ""))
            messages = msgspec.json.decode(raw or b"[]", type=tuple[Flash, ...])
        except (binascii.Error, msgspec.DecodeError, ValueError):
            return cls(())
        return cls(tuple(Flash(message.text[:_LONGEST], message.tone) for message in messages[:_MOST]))


def flash(request: Request, response: Response, text: str, tone: Tone = "ok") -> None:
    """Makes the next page show `text`, after what is already waiting."""
    waiting = (*Flashes.of(request).messages, Flash(text[:_LONGEST], tone))[-_MOST:]
    value = base64.urlsafe_b64encode(msgspec.json.encode(waiting)).decode()
    response.set_cookie(COOKIE, value, max_age=120, httponly=True, samesite="lax", secure=request.url.scheme == "https")


def forget(response: Response) -> None:
    """Makes sure that what was shown is not shown again."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
