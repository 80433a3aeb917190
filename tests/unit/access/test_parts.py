"""The small parts: memory, limiter, passwords, names, credentials, the origin of a request."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from arcane.access.credentials import CredentialKind, csrf_token, hash_of, new_api_key, new_token, presented
from arcane.access.csrf import CrossSiteRequest, check_origin
from arcane.access.limiter import WINDOW_S, SignInLimiter
from arcane.access.memory import Memory
from arcane.access.names import another_slug, normal_email, slug_of
from arcane.access.passwords import Passwords, check_password
from arcane.kit.announce import Announcer
from arcane.kit.problems import MalformedInput, TooManyRequests


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


class Listening(Announcer):
    """An announcer that listens without a database."""

    @property
    def listening(self) -> bool:
        return True


class Loads:
    """Counts what had to be asked for."""

    def __init__(self) -> None:
        self.count = 0

    async def __call__(self) -> int | None:
        self.count += 1
        return self.count


def _memory(watch: Watch, entries: int = 3) -> Memory[str, int]:
    return Memory(Listening("postgresql://nowhere/none"), entries=entries, max_age_s=30, clock=watch)


@pytest.mark.anyio
async def test_memory_answers_until_it_is_too_old() -> None:
    watch, load = Watch(), Loads()
    memory = _memory(watch)
    assert [await memory.get_or_load("a", load) for _ in range(3)] == [1, 1, 1]
    watch.time = 30.1
    assert await memory.get_or_load("a", load) == 2


@pytest.mark.anyio
async def test_memory_is_bounded_and_keeps_what_was_used_last() -> None:
    memory, load = _memory(Watch()), Loads()
    for key in ("a", "b", "c", "a", "d"):
        await memory.get_or_load(key, load)
    assert len(memory) == 3
    assert memory.get("b") is None
    assert memory.get("a") == 1


@pytest.mark.anyio
async def test_memory_forgets_what_is_meant() -> None:
    memory, load = _memory(Watch()), Loads()
    await memory.get_or_load("a", load)
    await memory.get_or_load("b", load)
    memory.forget(lambda value: value == 1)
    assert (memory.get("a"), memory.get("b")) == (None, 2)
    memory.forget()
    assert len(memory) == 0


@pytest.mark.anyio
async def test_what_was_read_before_a_change_is_not_kept_after_it() -> None:
    memory = _memory(Watch())

    async def overtaken() -> int:
        memory.forget()
        return 1

    assert await memory.get_or_load("a", overtaken) == 1
    assert memory.get("a") is None


@pytest.mark.anyio
async def test_memory_that_cannot_hear_answers_nothing() -> None:
    memory: Memory[str, int] = Memory(Announcer("postgresql://nowhere/none"), entries=3, max_age_s=30)
    load = Loads()
    assert [await memory.get_or_load("a", load) for _ in range(2)] == [1, 2]


def test_the_limiter_counts_per_address_and_account() -> None:
    watch = Watch()
    limiter = SignInLimiter(3, clock=watch)
    for _ in range(3):
        limiter.begin("192.0.2.1", "ada")
    with pytest.raises(TooManyRequests) as refused:
        limiter.begin("192.0.2.1", "ada")
    assert refused.value.headers == {"Retry-After": str(int(WINDOW_S) + 1)}
    limiter.begin("192.0.2.1", "bob")
    limiter.begin("192.0.2.2", "ada")
    watch.time = WINDOW_S
    limiter.begin("192.0.2.1", "ada")


def test_success_forgets_the_failures() -> None:
    limiter = SignInLimiter(2, clock=Watch())
    for _ in range(20):
        limiter.begin("192.0.2.1", "ada")
        limiter.succeeded("192.0.2.1", "ada")


def test_one_address_cannot_try_account_after_account_for_ever() -> None:
    limiter = SignInLimiter(2, clock=Watch())
    for number in range(20):
        limiter.begin(f"2001:db8::{number:x}", f"account{number}")  # one household, one network
    with pytest.raises(TooManyRequests):
        limiter.begin("2001:db8::ffff", "another")
    limiter.begin("2001:db8:1::1", "another")


@pytest.mark.anyio
async def test_passwords_are_argon2id_and_nobody_has_one_that_fits() -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$")
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "wrong horse")
    assert not await passwords.verify(None, "what an unknown account is compared with")
    assert not await passwords.verify("not a hash", "x")
    assert not passwords.is_outdated(stored)


@pytest.mark.parametrize(
    "password", ["short", "aaaaaaaaaaaa", "ababababababab", "ada@a.test12", "adaadaadaada", "x" * 300]
)
def test_weak_passwords_are_named(password: str) -> None:
    with pytest.raises(MalformedInput):
        check_password(password, shortest=12, email="ada@a.test12")


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        (" ada@corp.local ", "ada@corp.local"),
        ("root@localhost", "root@localhost"),
        ("ada@arcane.test", "ada@arcane.test"),
    ],
)
def test_addresses_are_compared_in_lower_case(text: str, email: str) -> None:
    assert normal_email(text) == email


@pytest.mark.parametrize(
    "text", ["", "ada", "@a.test", "ada@", "ada@a..test", "a b@c.test", "Ada <ada@a.test>", "a\x00@b.c"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an e-mail address"):
        normal_email(text)


@given(st.text(max_size=300))
def test_any_title_has_a_slug_that_fits_into_a_url(title: str) -> None:
    for slug in (slug_of(title), another_slug(slug_of(title))):
        assert 1 <= len(slug) <= 48
        assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert not slug.startswith("-")
        assert not slug.endswith("-")


def test_slugs_read_like_their_titles() -> None:
    assert slug_of("Müller & Söhne GmbH") == "muller-sohne-gmbh"


def test_tokens_have_256_bits_and_differ() -> None:
    assert len({new_token() for _ in range(100)}) == 100
    assert len(base64.urlsafe_b64decode(new_token() + "=")) == 32
    assert len(new_api_key().removeprefix("sk-arcane-")) == 64
    assert len(hash_of("x")) == 32
    assert csrf_token("a") != csrf_token("b")
    assert csrf_token("a") != hash_of("a").hex()


def _request(headers: Mapping[str, str], method: str = "POST") -> Request:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "headers": raw, "path": "/"})


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\x00"), max_size=80))
def test_no_authorization_header_breaks_the_reader(header: str) -> None:
    found = presented(_request({"Authorization": header, "Cookie": "arcane_session=abc"}), "arcane_session")
    assert found is None or found.kind is CredentialKind.API_KEY


def test_a_cookie_is_read_when_there_is_no_header() -> None:
    found = presented(_request({"Cookie": "other=1; arcane_session=abc"}), "arcane_session")
    assert found is not None
    assert (found.kind, found.token) == (CredentialKind.SESSION, "abc")
    assert presented(_request({"Cookie": f"arcane_session={'x' * 2000}"}), "arcane_session") is None


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://arcane.test"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://arcane.test"}, True),
        ({"Origin": "https://ARCANE.test"}, True),
        ({"Origin": "http://arcane.test"}, False),
        ({"Origin": "https://arcane.test.evil.test"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://127.0.0.1:8085", "Host": "127.0.0.1:8085"}, True),
        ({"Origin": "http://127.0.0.1:8085", "Host": "127.0.0.1:8086"}, False),
    ],
)
def test_where_a_change_may_come_from(headers: dict[str, str], ours: bool) -> None:
    if ours:
        check_origin(_request(headers), "https://arcane.test")
    else:
        with pytest.raises(CrossSiteRequest):
            check_origin(_request(headers), "https://arcane.test")
