"""Signed texts: cursors, links and what the worker and the backend say to each other.

One key ring, and for each purpose its own key (HKDF, RFC 5869): a token made for one purpose is
nothing for another. This module imports neither the web framework nor the database; the worker may use it.

    token = base64url(version | mac[16] | expiry, 8 bytes | payload)
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_MAC_BYTES = 16
_EXPIRY_BYTES = 8
_HEAD_BYTES = len(_VERSION) + _MAC_BYTES + _EXPIRY_BYTES
_NEVER = 0


class TokenError(ValueError):
    """A token that is not accepted.

    TokenError
    ├── MalformedToken   not a token at all, or of a version this release does not know
    ├── TamperedToken    changed, made for another purpose, or signed with a key that is gone
    └── ExpiredToken     ours, and too old
    """


class MalformedToken(TokenError):
    """The text is not a token."""


class TamperedToken(TokenError):
    """The signature does not fit."""


class ExpiredToken(TokenError):
    """The token was valid once."""


def derived_key(key: bytes, purpose: str, length: int = 32) -> bytes:
    """Returns the key for `purpose` that belongs to `key`."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"arcane/{purpose}".encode()).derive(key)


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with the first key of the ring and accepts all of them. Make one a purpose with `of`."""

    keys: tuple[bytes, ...]

    @classmethod
    def of(cls, ring: Sequence[bytes], purpose: str) -> Signer:
        """Returns the signer of `purpose`; `ring` is newest first and not empty."""
        if not ring:
            raise ValueError("a signer needs a key")
        return cls(tuple(derived_key(key, f"sign/{purpose}") for key in ring))

    def mac(self, message: bytes) -> bytes:
        """Returns the 32 bytes that prove `message` came from a holder of the ring."""
        return hmac.digest(self.keys[0], message, "sha256")

    def verifies(self, message: bytes, mac: bytes) -> bool:
        """True when `mac` belongs to `message`; takes the same time whatever is wrong."""
        fits = [hmac.compare_digest(hmac.digest(key, message, "sha256"), mac) for key in self.keys]
        return any(fits)

    def token(self, payload: bytes, *, expires: datetime | None = None) -> str:
        """Returns a text for URLs that carries `payload`, readable by anyone, changeable by nobody."""
        expiry = (int(expires.timestamp()) if expires else _NEVER).to_bytes(_EXPIRY_BYTES)
        mac = hmac.digest(self.keys[0], _VERSION + expiry + payload, "sha256")[:_MAC_BYTES]
        return _spelled(_VERSION + mac + expiry + payload)

    def payload(self, token: str, *, now: datetime | None = None) -> bytes:
        """Returns what `token` carries; raises MalformedToken, TamperedToken or ExpiredToken."""
        raw = _unpadded(token)
        if len(raw) < _HEAD_BYTES or raw[:1] != _VERSION:
            raise MalformedToken("not a token")
        mac, rest = raw[1 : 1 + _MAC_BYTES], raw[1 + _MAC_BYTES :]
        fits = [hmac.compare_digest(hmac.digest(key, _VERSION + rest, "sha256")[:_MAC_BYTES], mac) for key in self.keys]
        if not any(fits) or _spelled(raw) != token:  # a token has one spelling; its last digit has spare bits
            raise TamperedToken("the signature does not fit")
        expiry = int.from_bytes(rest[:_EXPIRY_BYTES])
        if expiry != _NEVER and expiry <= (now or datetime.now(UTC)).timestamp():
            raise ExpiredToken("too old")
        return rest[_EXPIRY_BYTES:]


def _spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unpadded(token: str) -> bytes:
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise MalformedToken("not a token") from None
