import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from arcane.kit.secrets import KeyRing, KeyRingError, Place, SecretUnreadable, generate_key
from arcane.settings import SecretSettings

OLD, NEW = generate_key(), generate_key()
PLACE = Place("datasources", "0198", "token")


@given(st.text())
def test_what_was_encrypted_comes_back(text: str) -> None:
    ring = KeyRing.from_texts([OLD])
    assert ring.decrypt(ring.encrypt(text, PLACE), PLACE) == text


def test_an_envelope_shows_its_key_and_nothing_else() -> None:
    ring = KeyRing.from_texts([OLD])
    envelope = ring.encrypt("canary", PLACE)
    assert envelope.startswith(f"v1.{ring.newest}.")
    assert "canary" not in envelope
    assert ring.encrypt("canary", PLACE) != envelope


@pytest.mark.parametrize(
    "other",
    [Place("datasources", "0199", "token"), Place("datasources", "0198", "password"), Place("models", "0198", "token")],
)
def test_an_envelope_opens_nothing_in_another_place(other: Place) -> None:
    ring = KeyRing.from_texts([OLD])
    with pytest.raises(SecretUnreadable):
        ring.decrypt(ring.encrypt("canary", PLACE), other)


def test_the_first_key_encrypts_and_all_keys_decrypt() -> None:
    before, after = KeyRing.from_texts([OLD]), KeyRing.from_texts([NEW, OLD])
    envelope = before.encrypt("canary", PLACE)
    assert after.decrypt(envelope, PLACE) == "canary"
    assert not after.is_current(envelope)
    assert after.is_current(after.encrypt("canary", PLACE))
    with pytest.raises(SecretUnreadable, match=f"key {before.newest} is not in the ring"):
        KeyRing.from_texts([NEW]).decrypt(envelope, PLACE)


@pytest.mark.parametrize("position", [3, 20, 40, -2])
def test_a_changed_envelope_is_refused(position: int) -> None:
    ring = KeyRing.from_texts([OLD])
    envelope = ring.encrypt("canary", PLACE)
    changed = list(envelope)
    changed[position] = "A" if changed[position] != "A" else "B"
    with pytest.raises(SecretUnreadable):
        ring.decrypt("".join(changed), PLACE)


@pytest.mark.parametrize("envelope", ["", "v1", "v1..", "v2.a.b", "plain text", "v1.abc.!!!", "v1.é.ü"])
def test_what_is_no_envelope_is_refused(envelope: str) -> None:
    with pytest.raises(SecretUnreadable):
        KeyRing.from_texts([OLD]).decrypt(envelope, PLACE)


def placeholder(key: bytes) -> str:
    return base64.b64encode(key).decode()


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([], "there is no key"),
        (["not base64!"], "key 1 of ARCANE_SECRETS__KEYS is not base64"),
        ([placeholder(b"short")], "has 5 bytes instead of 32"),
        ([placeholder(bytes(32))], "placeholder"),
        ([placeholder(b"0123456789abcdef" * 2)], "placeholder"),
        ([placeholder(b"change-me-please-change-me-now!!")], "placeholder"),
        ([OLD, placeholder(b"a" * 32)], "key 2 .* placeholder"),
        ([OLD, OLD], "the same key twice"),
    ],
)
def test_a_ring_that_protects_nothing_is_refused_in_one_line(keys: list[str], says: str) -> None:
    with pytest.raises(KeyRingError, match=says) as failure:
        KeyRing.of(SecretSettings(keys=[SecretStr(key) for key in keys]))
    message = str(failure.value)
    assert "\n" not in message
    assert not any(key in message for key in keys)


def test_a_ring_does_not_print_its_keys() -> None:
    ring = KeyRing.from_texts([OLD])
    assert repr(ring.keys[0]) not in repr(ring)


def test_signers_of_a_ring_accept_what_older_keys_signed() -> None:
    before, after = KeyRing.from_texts([OLD]), KeyRing.from_texts([NEW, OLD])
    token = before.signer("cursors").token(b"payload")
    assert after.signer("cursors").payload(token) == b"payload"
