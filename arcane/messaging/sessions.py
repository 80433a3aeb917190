"""Sessions of workers: the key that all share opens one door, and behind it each gets a key of its own, for a while.

A session says who the worker is and what it may do. Nobody stores it: its token carries all of that, signed, and the
key that belongs to a token can be derived again by every process of the backend, and by nobody else. Requests are then
signed with the session's key (`arcane.messaging.signature`), and secrets travel sealed under it.
"""

from __future__ import annotations

import os
from enum import StrEnum
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from arcane.kit.signing import derived_key
from arcane.messaging.envelope import Body
from arcane.messaging.jobs import CLAIMS_PATH, CONTROL_PATH, KEYS_PATH, RESULTS_PATH
from arcane.messaging.leases import EXTENSIONS_PATH, LEASES_PATH, SETTLEMENTS_PATH
from arcane.messaging.workers import ANNOUNCEMENTS_PATH

SESSIONS_PATH = "/internal/v1/workers/sessions"
SESSION_HEADER = "arcane-session"
NONCE_BYTES = 16
_SEAL_NONCE_BYTES = 12


class Grant(StrEnum):
    """What a session may be for."""

    ANNOUNCE = "announce"
    QUEUE = "queue"  # borrow messages of the backend's own queues
    JOBS = "jobs"  # claim jobs, send results, hear what was stopped
    KEYS = "keys"  # ask for the provider's key of a job that it holds


GRANT_OF = {
    ANNOUNCEMENTS_PATH: Grant.ANNOUNCE,
    LEASES_PATH: Grant.QUEUE,
    SETTLEMENTS_PATH: Grant.QUEUE,
    EXTENSIONS_PATH: Grant.QUEUE,
    CLAIMS_PATH: Grant.JOBS,
    RESULTS_PATH: Grant.JOBS,
    CONTROL_PATH: Grant.JOBS,
    KEYS_PATH: Grant.KEYS,
}
"""What a session needs for each path of the internal API. A path that is not here is open to nobody."""


class SessionRequest(Body, frozen=True, kw_only=True, tag="session_request"):
    """Give me a session. `instance` tells one process from another one of the same name; `nonce` is new each time."""

    name: str
    instance: UUID
    grants: tuple[Grant, ...]
    nonce: bytes


class SessionAnswer(Body, frozen=True, kw_only=True, tag="session_answer"):
    """A session: its token, and its key, sealed under the key that all share for the nonce of the request."""

    token: str
    sealed_key: bytes
    keep_s: float


class CannotUnseal(Exception):
    """Sealed for somebody else, for something else, or changed on the way."""


def sealed(key: bytes, content: bytes, purpose: str) -> bytes:
    """Returns `content` as only a holder of `key` can read it, and only for `purpose`."""
    nonce = os.urandom(_SEAL_NONCE_BYTES)
    return nonce + AESGCM(derived_key(key, "seal")).encrypt(nonce, content, purpose.encode())


def unsealed(key: bytes, envelope: bytes, purpose: str) -> bytes:
    """Returns what `sealed` was given. Raises CannotUnseal."""
    nonce, rest = envelope[:_SEAL_NONCE_BYTES], envelope[_SEAL_NONCE_BYTES:]
    try:
        return AESGCM(derived_key(key, "seal")).decrypt(nonce, rest, purpose.encode())
    except (InvalidTag, ValueError):
        raise CannotUnseal("the envelope cannot be opened with this key, or not for this purpose") from None


def session_purpose(nonce: bytes) -> str:
    """Returns what the key of a session is sealed for."""
    return f"session/{nonce.hex()}"


def key_purpose(job: UUID, configuration: UUID) -> str:
    """Returns what the secrets of a provider are sealed for."""
    return f"key/{job}/{configuration}"
