"""The last step before a connection: names are looked up once, checked, and the checked address is what is dialled.

Two walls. The resolver drops refused addresses from an answer, so that an error can name the
host. The socket factory looks again at the very address a socket is about to connect to: nothing that aiohttp
does in between (its cache, a literal host, a second look-up that answers differently) can get past it.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address

from aiohttp import AddrInfoType, ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from arcane.kit.egress_addresses import AddressPolicy, address_of, is_inet
from arcane.kit.egress_errors import AddressRefused
from arcane.kit.egress_url import refused


class GuardingResolver(AbstractResolver):
    """Answers with the allowed addresses of a host; raises AddressRefused when none of them is."""

    def __init__(self, policy: AddressPolicy, inner: AbstractResolver | None = None) -> None:
        self._policy = policy
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Returns what `inner` found, without the addresses the rules refuse."""
        found = await self._inner.resolve(host, port, family)
        allowed: list[ResolveResult] = []
        reason = "without an address"
        for result in found:
            refusal = self._policy.refusal(ip_address(result["host"].partition("%")[0]))
            if refusal is None:
                allowed.append(result)
            else:
                reason = refusal
        if not allowed:
            raise AddressRefused(refused(host, reason))
        return allowed

    async def close(self) -> None:
        """Closes the inner resolver."""
        await self._inner.close()


def guarded_socket(policy: AddressPolicy, addr_info: AddrInfoType) -> socket.socket:
    """Returns a new socket for an allowed address; raises AddressRefused instead of opening one for another."""
    family, kind, protocol, _, sockaddr = addr_info
    if not is_inet(family):
        raise AddressRefused("only internet addresses are allowed")
    address = address_of(sockaddr)
    reason = policy.refusal(address)
    if reason is not None:
        raise AddressRefused(refused(str(address), reason))
    return socket.socket(family, kind, protocol)
