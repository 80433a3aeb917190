"""Passwords: argon2id, on worker threads (a hash takes tens of milliseconds by design), a few at a time."""

from __future__ import annotations

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from arcane.kit.problems import MalformedInput

LONGEST = 256
_AT_ONCE = 4


class Passwords:
    """Hashes and verifies. The default is argon2-cffi's: RFC 9106, low memory (64 MiB, 3 passes)."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._limiter = anyio.CapacityLimiter(_AT_ONCE)
        self._nobody = self._hasher.hash("what an unknown account is compared with")

    async def hash(self, password: str) -> str:
        """Returns what is stored of `password`."""
        return await anyio.to_thread.run_sync(self._hasher.hash, password, limiter=self._limiter)

    async def verify(self, stored: str | None, password: str) -> bool:
        """True when `stored` is the hash of `password`. Without a stored hash it takes the same time to say no."""
        against = self._nobody if stored is None else stored
        matches = await anyio.to_thread.run_sync(self._matches, against, password, limiter=self._limiter)
        return matches and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """True when `stored` was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def check_password(password: str, *, shortest: int, email: str, pointer: str = "#/password") -> None:
    """Returns when `password` is good enough; raises MalformedInput that says what is wrong."""
    local = email.partition("@")[0]
    problem = None
    if len(password) < shortest:
        problem = f"a password has at least {shortest} characters"
    elif len(password) > LONGEST:
        problem = f"a password has at most {LONGEST} characters"
    elif len(set(password)) < 4:
        problem = "a password has at least 4 different characters"
    elif password.strip().lower() in (email, local * (len(password) // max(len(local), 1))):
        problem = "a password is not the e-mail address"
    if problem is not None:
        raise MalformedInput(problem, errors=[{"pointer": pointer, "detail": problem}])
