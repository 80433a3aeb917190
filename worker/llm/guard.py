"""Which addresses a request to a provider may go to: a name is looked up once, judged, and what was judged is dialled.

Three looks. A host that is written as an address is judged before anything is sent; the resolver leaves refused
addresses out of its answer; and the socket factory looks at the very address that a socket is about to connect to.
"""

from __future__ import annotations

import socket

import anyio
from aiohttp import AddrInfoType, ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from arcane.kit.egress_addresses import AddressPolicy, AmbiguousHost, address_of, is_inet, literal_address


class Refused(OSError):
    """The rules refuse an address; aiohttp wraps it."""


class Guard(AbstractResolver):
    """Lets requests to allowed addresses through. A look-up may take `seconds`."""

    def __init__(self, policy: AddressPolicy, seconds: float) -> None:
        self._policy = policy
        self._seconds = seconds
        self._names = ThreadedResolver()

    def judge(self, host: str) -> None:
        """`host` is a name, or an address that is allowed; raises Refused otherwise."""
        try:
            address = literal_address(host)
        except AmbiguousHost as exc:
            raise Refused(f"{host} is {exc}") from exc
        reason = None if address is None else self._policy.refusal(address)
        if reason is not None:
            raise _refused(host, reason)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Returns the allowed addresses of `host`; raises Refused when there are others only."""
        with anyio.fail_after(self._seconds):
            found = await self._names.resolve(host, port, family)
        reasons = [self._policy.refusal(address_of((one["host"], one["port"]))) for one in found]
        allowed = [one for one, reason in zip(found, reasons, strict=True) if reason is None]
        if not allowed:
            raise _refused(host, next((reason for reason in reasons if reason), "without an address"))
        return allowed

    def socket_for(self, info: AddrInfoType) -> socket.socket:
        """Returns a new socket for an allowed address; raises Refused instead of opening one for another."""
        family, kind, protocol, _, place = info
        if not is_inet(family):
            raise Refused("a socket of this machine is no provider")
        address = address_of(place)
        reason = self._policy.refusal(address)
        if reason is not None:
            raise _refused(str(address), reason)
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """Nothing is left to look up."""
        await self._names.close()


def _refused(host: str, reason: str) -> Refused:
    return Refused(f"{host} is {reason}, and this instance does not call such addresses")
