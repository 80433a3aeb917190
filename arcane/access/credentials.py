"""Tokens and keys: how they are made, how they are kept (only a hash), how a request presents them.

The hash is a plain SHA-256: what it hides has 256 random bits, so there is nothing to guess and
nothing to slow down. Passwords are another matter (passwords.py).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from arcane.settings import Settings

KEY_PREFIX: Final = "sk-arcane-"
BASIC_USER: Final = "api-key"
HINT_LENGTH: Final = 4
_LONGEST = 512


def new_token() -> str:
    """Returns 256 random bits for a URL or a cookie."""
    return secrets.token_urlsafe(32)


def new_api_key() -> str:
    """Returns `sk-arcane-` and 256 random bits in hex."""
    return KEY_PREFIX + secrets.token_hex(32)


def hash_of(token: str) -> bytes:
    """Returns what is stored of a token or key."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


def csrf_token(session_token: str) -> str:
    """Returns the token that forms of this session carry: nobody without the cookie can work it out."""
    return hmac.digest(session_token.encode(errors="surrogateescape"), b"arcane csrf", "sha256").hex()


class CredentialKind(StrEnum):
    """What a request presents."""

    SESSION = "session"
    API_KEY = "api_key"


@dataclass(frozen=True, slots=True)
class Presented:
    """A credential as it came, not yet believed."""

    kind: CredentialKind
    token: str


def presented(connection: HTTPConnection, cookie_name: str) -> Presented | None:
    """Returns what the request presents. An Authorization header decides alone, also when it is nonsense."""
    header = connection.headers.get("authorization")
    if header is not None:
        key = _key_of(header)
        return Presented(CredentialKind.API_KEY, key) if key else None
    token = connection.cookies.get(cookie_name)
    if token and len(token) <= _LONGEST:
        return Presented(CredentialKind.SESSION, token)
    return None


def _key_of(header: str) -> str | None:
    scheme, _, value = header.partition(" ")
    if len(value) > _LONGEST:
        return None
    if scheme.lower() == "bearer":
        key = value.strip()
    elif scheme.lower() == "basic":
        try:
            user, _, key = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        if not hmac.compare_digest(user.encode(), BASIC_USER.encode()):
            return None
    else:
        return None
    return key if key.startswith(KEY_PREFIX) else None


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """The cookie of a signed-in browser: HttpOnly, SameSite=Lax, and bound to the host where there is https."""

    name: str
    secure: bool

    @classmethod
    def of(cls, settings: Settings) -> SessionCookie:
        """Returns the cookie that fits the public address. `__Host-` forbids Domain and a plain-http origin."""
        secure = settings.server.public_url.lower().startswith("https://")
        return cls("__Host-arcane_session" if secure else "arcane_session", secure)

    def set(self, response: Response, token: str, expires_at: datetime) -> None:
        """`response` signs the browser in until `expires_at`."""
        response.set_cookie(
            self.name, token, expires=expires_at, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def clear(self, response: Response) -> None:
        """`response` makes the browser forget its session."""
        response.delete_cookie(self.name, path="/", secure=self.secure, httponly=True, samesite="lax")
