from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.kit.egress_addresses import AddressPolicy, AmbiguousHost, literal_address

CLOSED = AddressPolicy()

REFUSED = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "240.0.0.1",
    "198.18.0.1",
    "203.0.113.7",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "2001::1",
    "100::1",
    "5f00::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
]


@pytest.mark.parametrize("text", REFUSED)
def test_special_addresses_are_refused_by_default(text: str) -> None:
    assert CLOSED.refusal(ip_address(text)) is not None


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "64:ff9b::808:808"]
)
def test_public_addresses_are_allowed(text: str) -> None:
    assert CLOSED.refusal(ip_address(text)) is None


def test_a_named_network_is_opened_and_its_neighbours_are_not() -> None:
    policy = AddressPolicy.of(["127.0.0.0/8", " 10.1.0.0/16", "fd12::/16"])
    assert policy.refusal(ip_address("127.0.0.1")) is None
    assert policy.refusal(ip_address("::ffff:127.0.0.1")) is None
    assert policy.refusal(ip_address("fd12::1")) is None
    assert policy.refusal(ip_address("10.2.0.1")) == "private"
    assert policy.refusal(ip_address("fd13::1")) == "private"


@pytest.mark.parametrize("network", ["0.0.0.0/0", "169.254.0.0/16", "169.254.169.254/31"])
def test_a_wide_network_does_not_open_the_metadata_service(network: str) -> None:
    assert AddressPolicy.of([network]).refusal(ip_address("169.254.169.254")) == "a cloud metadata service"


def test_the_metadata_service_is_opened_by_its_exact_address() -> None:
    assert AddressPolicy.of(["169.254.169.254/32"]).refusal(ip_address("169.254.169.254")) is None


def test_a_network_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"'10\.0\.0' is not a network"):
        AddressPolicy.of(["10.0.0"])


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "0177.0.0.1",
        "127.0.0.01",
        "1.2.3.4.5",
        "fe80::1%eth0",
        "[fe80::1%251]",
        "1.2.3",
        "::g",
    ],
)
def test_other_spellings_of_an_address_are_refused(host: str) -> None:
    with pytest.raises(AmbiguousHost):
        literal_address(host)


def test_literals_and_names_are_told_apart() -> None:
    assert literal_address("127.0.0.1") == IPv4Address("127.0.0.1")
    assert literal_address("[::1]") == IPv6Address("::1")
    assert literal_address("tempo.example") is None
    assert literal_address("10.example") is None
    assert literal_address("0xgg") is None


@given(st.ip_addresses(v=4))
def test_wrapping_an_ipv4_address_in_ipv6_changes_nothing(address: IPv4Address) -> None:
    direct = CLOSED.refusal(address)
    for wrapped in (f"::ffff:{address}", f"64:ff9b::{address}", IPv6Address((0x2002 << 112) | (int(address) << 80))):
        assert CLOSED.refusal(ip_address(str(wrapped))) == direct


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_allowed(address: IPv4Address | IPv6Address) -> None:
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        wrapped = isinstance(address, IPv6Address) and (address.ipv4_mapped or address.sixtofour)
        assert CLOSED.refusal(address) is not None or wrapped
