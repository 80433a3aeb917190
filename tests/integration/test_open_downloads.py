"""A long file ends for whoever may not have the rest any more, and nobody takes what arrived for all of it."""

from __future__ import annotations

import socket

import httpx
import pytest

from tests.support.premises import Premises, premises
from tests.support.served import Served, Visitor

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(120)]

_LINES = "question\n" + f"{'x' * 3_000}\n" * 4_000
"""Longer than what is on its way at once, so the rest of it waits until somebody reads."""
_NARROW = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)]


@pytest.fixture(scope="module")
def place(served: Served, owner: Visitor) -> Premises:
    return premises(served, owner, "Downloads")


@pytest.fixture(scope="module")
def dataset(owner: Visitor, place: Premises) -> str:
    path, named = f"{place.in_project}/datasets/imports", {"name": "Long"}
    imported = owner.http.post(path, params=named, content=_LINES, headers=owner.headers)
    assert imported.status_code == 201, imported.text
    return str(imported.json()["id"])


@pytest.mark.parametrize("kind", ["rows", "results"])
def test_a_file_ends_for_a_key_that_was_revoked(
    served: Served, owner: Visitor, place: Premises, dataset: str, kind: str
) -> None:
    path = f"{place.in_project}/datasets/{dataset}/export?format=jsonl"
    if kind == "results":
        made = owner.made(f"{place.in_project}/experiments", {"name": "Long", "dataset_id": dataset})
        path = f"{place.in_project}/experiments/{made['id']}/export?format=csv"
    key = owner.made(f"{place.in_project}/api-keys", {"name": "reads", "scope": "read-write"})
    headers = {"Authorization": f"Bearer {key['key']}"}
    with _receiving() as http, http.stream("GET", served.address + path, headers=headers) as answer:
        assert answer.status_code == 200
        assert owner.call("DELETE", f"{place.in_project}/api-keys/{key['id']}").status_code == 204
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()


def test_a_file_ends_for_a_member_who_was_removed(
    served: Served, owner: Visitor, place: Premises, dataset: str
) -> None:
    path = f"{place.pages}/datasets/{dataset}/export?format=csv"
    cookies = place.member.http.cookies
    with _receiving() as http, http.stream("GET", served.address + path, headers=_cookie(cookies)) as answer:
        assert answer.status_code == 200
        assert owner.call("DELETE", f"{place.at}/members/{place.user_id}").status_code == 204
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()


def _receiving() -> httpx.Client:
    return httpx.Client(transport=httpx.HTTPTransport(socket_options=_NARROW), timeout=60)


def _cookie(cookies: httpx.Cookies) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
