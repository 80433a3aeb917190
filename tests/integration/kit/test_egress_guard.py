"""Where egress goes and where it does not: addresses, names that change, redirects, credentials."""

from __future__ import annotations

import pytest

from arcane.kit.egress import Egress
from arcane.kit.egress_errors import Translating
from arcane.kit.egress_url import Origin
from arcane.model.deadline import Deadline
from arcane.settings import EgressSettings, LimitSettings
from arcane.spi.errors import BadResponse, Forbidden
from arcane.spi.http import HttpRequest
from tests.support.backends import always, backend, redirect, reply
from tests.support.egress import ASK, Names, session

pytestmark = pytest.mark.anyio


async def test_loopback_is_refused_unless_it_is_opened() -> None:
    with pytest.raises(Forbidden, match="loopback"):
        Egress(EgressSettings(), LimitSettings()).session("http://127.0.0.1:1/", {})


async def test_an_ipv6_address_is_asked_when_it_is_opened() -> None:
    async with backend(always(reply(b"six")), host="::1") as server:
        url = f"http://[::1]:{server.port}"
        async with session(url, allow_networks=["::1/128"]) as http:
            assert (await http.send(ASK, Deadline.after(5))).body == b"six"
        with pytest.raises(Forbidden, match="::1 is loopback"):
            Egress(EgressSettings(), LimitSettings()).session(url, {})


@pytest.mark.parametrize("address", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "::1", "::ffff:169.254.169.254"])
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    async with session("http://tempo.example", resolver=Names([address])) as http:
        with pytest.raises(Forbidden, match=r"tempo\.example is "):
            await http.send(ASK, Deadline.after(5))


async def test_a_name_with_one_allowed_address_is_dialled_at_that_address() -> None:
    async with backend(always(reply(b"here"))) as server:
        names = Names(["10.0.0.1", "127.0.0.1"])
        async with session(f"http://tempo.example:{server.port}", resolver=names) as http:
            assert (await http.send(ASK, Deadline.after(5))).body == b"here"
    assert server.seen[0].headers["host"] == f"tempo.example:{server.port}"


async def test_a_name_that_changes_its_answer_leads_nowhere_new() -> None:
    """DNS rebinding: the checked address is the one that is dialled, and every new look-up is checked."""
    async with backend(always(reply(headers={"Connection": "close"}))) as inside:
        names = Names(["127.0.0.1"], ["127.0.0.2"])
        async with session(f"http://rebind.example:{inside.port}", resolver=names) as http:
            await http.send(ASK, Deadline.after(5))
            http._connected().connector.clear_dns_cache()  # type: ignore[union-attr] # what ten seconds do
            with pytest.raises(Forbidden, match="loopback"):
                await http.send(ASK, Deadline.after(5))
    assert names.asked == 2
    assert len(inside.seen) == 1


async def test_the_socket_itself_is_guarded() -> None:
    """Even a host that no check before has looked at is refused when its socket would be opened."""
    async with backend(always(reply())) as server, session(f"http://127.0.0.1:{server.port}") as http:
        elsewhere = Translating(Origin("http", "127.0.0.2", 1), Deadline.after(5))
        with pytest.raises(Forbidden, match=r"127\.0\.0\.2 is loopback"), elsewhere:
            await http._connected().get("http://127.0.0.2:1/")


async def test_a_redirect_to_the_metadata_service_is_not_followed() -> None:
    async with backend(redirect("http://169.254.169.254/latest/meta-data")) as server, session(server.url) as http:
        with pytest.raises(Forbidden, match="metadata"):
            await http.send(ASK, Deadline.after(5))


async def test_a_redirect_to_a_name_that_leads_inside_is_not_followed() -> None:
    inside = Names(["10.0.0.5"])
    async with backend(redirect("http://inside.example/")) as server, session(server.url, resolver=inside) as http:
        with pytest.raises(Forbidden, match="private"):
            await http.send(ASK, Deadline.after(5))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_credentials_and_custom_headers_stay_at_home(status: int) -> None:
    async with backend(always(reply(b"elsewhere"))) as other, backend(redirect(f"{other.url}/x", status)) as server:
        secret = {"Authorization": "Bearer canary", "X-Scope-OrgID": "canary", "Cookie": "canary=1"}
        async with session(server.url, headers=secret) as http:
            answer = await http.send(HttpRequest("/api", headers={"X-Token": "canary"}), Deadline.after(5))
    assert answer.body == b"elsewhere"
    assert "canary" in str(server.seen[0].headers)
    assert "canary" not in str(other.seen[0].headers)


async def test_redirects_end() -> None:
    async with backend(redirect("/again")) as server, session(server.url, max_redirects=3) as http:
        with pytest.raises(BadResponse, match="more than 3 times"):
            await http.send(ASK, Deadline.after(5))
    assert len(server.seen) == 4
