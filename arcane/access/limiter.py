"""Guessing passwords is slow: failed sign-ins are counted per address and account, and per address.

Counted in this process and bounded: with several backend processes an attacker has so many times the
attempts, which changes nothing about guessing a password of the length that is asked for.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from arcane.kit.problems import TooManyRequests

WINDOW_S = 15 * 60.0
_ACCOUNTS_PER_ADDRESS = 10
_ENTRIES = 20_000
_IPV6_NETWORK = 64


@dataclass(slots=True)
class SignInLimiter:
    """Allows `attempts` failures per address and account in 15 minutes, ten times that per address."""

    attempts: int
    clock: Callable[[], float] = time.monotonic
    _tried: OrderedDict[tuple[str, str], deque[float]] = field(default_factory=OrderedDict)

    def begin(self, address: str, account: str) -> None:
        """Counts an attempt as failed until `succeeded`; raises TooManyRequests when there were too many."""
        network = _network(address)
        pairs = (((network, account), self.attempts), ((network, ""), self.attempts * _ACCOUNTS_PER_ADDRESS))
        waits = [self._wait(key, most) for key, most in pairs]
        if any(waits):
            seconds = int(max(waits)) + 1
            raise TooManyRequests("too many attempts to sign in; wait a while", headers={"Retry-After": str(seconds)})
        for key, _ in pairs:
            self._tried.setdefault(key, deque()).append(self.clock())
            self._tried.move_to_end(key)
        while len(self._tried) > _ENTRIES:
            self._tried.popitem(last=False)

    def succeeded(self, address: str, account: str) -> None:
        """Forgets the failures of this account from this address."""
        network = _network(address)
        self._tried.pop((network, account), None)
        if everyone := self._tried.get((network, "")):
            everyone.pop()

    def _wait(self, key: tuple[str, str], most: int) -> float:
        tried = self._tried.get(key)
        if tried is None:
            return 0.0
        now = self.clock()
        while tried and now - tried[0] >= WINDOW_S:
            tried.popleft()
        return WINDOW_S - (now - tried[0]) if len(tried) >= most else 0.0


def _network(address: str) -> str:
    """One household has one IPv6 network, not one address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, _IPV6_NETWORK), strict=False))
