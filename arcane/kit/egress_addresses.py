"""Which addresses an adapter may connect to.

Default deny: an address is allowed when it is ordinary public unicast, or in a network the
operator named in `egress.allow_networks`. The table is written out, because Python's own
`is_private` and `is_global` change their mind between patch releases. Sources: the IANA IPv4 and IPv6
special-purpose registries (RFC 6890, RFC 8190).
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeAlias

from arcane.model.notice import Notice

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, OpenStack, ...
        "169.254.170.2",  # AWS ECS tasks
        "169.254.170.23",  # AWS EKS pods
        "168.63.129.16",  # Azure's wire server: a public address that only answers inside
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",  # AWS over IPv6
        "fd00:ec2::23",
        "fd20:ce::254",  # Google over IPv6
    )
)

_DENIED_V4 = tuple(
    (IPv4Network(text), reason)
    for text, reason in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "shared by a carrier (CGNAT)"),
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "reserved for documentation"),
        ("192.31.196.0/24", "reserved"),
        ("192.52.193.0/24", "reserved"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "reserved"),
        ("198.18.0.0/15", "reserved for benchmarks"),
        ("198.51.100.0/24", "reserved for documentation"),
        ("203.0.113.0/24", "reserved for documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)

_PUBLIC_V6 = IPv6Network("2000::/3")
_DENIED_V6 = tuple(
    (IPv6Network(text), reason)
    for text, reason in (
        ("::1/128", "loopback"),
        ("::/128", "unspecified"),
        ("fc00::/7", "private"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "private"),
        ("ff00::/8", "multicast"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "reserved for documentation"),
        ("2620:4f:8000::/48", "reserved"),
        ("3fff::/20", "reserved for documentation"),
    )
)

_NAT64 = IPv6Network("64:ff9b::/96")
_MAPPED = IPv6Network("::ffff:0:0/96")
_COMPATIBLE = IPv6Network("::/96")
_6TO4 = IPv6Network("2002::/16")


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """The rules of one instance. `allowed` are the networks its operator opened."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def of(cls, networks: Iterable[str]) -> AddressPolicy:
        """Returns the policy that opens `networks`; raises ValueError naming the one that is not a network."""
        opened: list[Network] = []
        for text in networks:
            try:
                opened.append(ip_network(text.strip(), strict=False))
            except ValueError:
                raise ValueError(
                    f"ARCANE_EGRESS__ALLOW_NETWORKS: {text!r} is not a network such as 10.0.0.0/8"
                ) from None
        return cls(tuple(opened))

    def refusal(self, address: Address) -> str | None:
        """Returns why `address` is refused, as words that follow "is", or None when it is allowed.

        An IPv6 address that carries an IPv4 address is judged by the IPv4 address it leads to. A cloud's
        metadata address is opened only by naming exactly that address, never by a wider network.
        """
        inner = _unwrapped(address)
        if inner in _METADATA:
            return None if self._named(inner) else Notice("a cloud metadata service")
        if any(inner in network for network in self.allowed) or any(address in network for network in self.allowed):
            return None
        if isinstance(inner, IPv4Address):
            return next((reason for network, reason in _DENIED_V4 if inner in network), None)
        denied = next((reason for network, reason in _DENIED_V6 if inner in network), None)
        return denied or (None if inner in _PUBLIC_V6 else "reserved")

    def _named(self, address: Address) -> bool:
        return any(network.num_addresses == 1 and network.network_address == address for network in self.allowed)


class AmbiguousHost(ValueError):
    """A host that is an address in a form that programs read differently; the message says which form."""


def literal_address(host: str) -> Address | None:
    """Returns the address that `host` spells, or None when it is a name to look up.

    Raises AmbiguousHost for decimal (`2130706433`), hexadecimal, octal and short (`127.1`) forms and for
    zone ids: those mean different things to different parsers, and nobody needs them.
    """
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if "%" in bare:
        raise AmbiguousHost(Notice("an address with a zone id"))
    try:
        return ip_address(bare)
    except ValueError:
        pass
    if ":" in bare:
        raise AmbiguousHost(Notice("not an IPv6 address"))
    last = bare.rstrip(".").rpartition(".")[2].lower()
    if last.isdecimal() or (last.startswith("0x") and all(c in "0123456789abcdef" for c in last[2:])):
        raise AmbiguousHost(Notice("an IPv4 address that is not written as four decimal numbers"))
    return None


def address_of(sockaddr: tuple[object, ...]) -> Address:
    """Returns the address a socket is about to connect to."""
    return ip_address(str(sockaddr[0]).partition("%")[0])


def is_inet(family: int) -> bool:
    """True for the two families adapters may use."""
    return family in (socket.AF_INET, socket.AF_INET6)


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    packed = int(address)
    if address in _MAPPED or address in _NAT64:
        return IPv4Address(packed & 0xFFFFFFFF)
    if address in _6TO4:
        return IPv4Address((packed >> 80) & 0xFFFFFFFF)
    if address in _COMPATIBLE and packed > 1:
        return IPv4Address(packed & 0xFFFFFFFF)
    return address
