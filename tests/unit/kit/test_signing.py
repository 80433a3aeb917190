import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.kit.signing import ExpiredToken, MalformedToken, Signer, TamperedToken, TokenError

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))
NOW = datetime(2026, 11, 21, tzinfo=UTC)
SIGNER = Signer.of([KEY], "cursors")


@given(st.binary())
def test_a_payload_comes_back(payload: bytes) -> None:
    assert SIGNER.payload(SIGNER.token(payload)) == payload


@given(st.binary(), st.data())
def test_no_change_of_a_token_is_accepted(payload: bytes, data: st.DataObject) -> None:
    token = SIGNER.token(payload)
    index = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019-_").filter(lambda c: c != token[index]))
    with pytest.raises(TokenError):
        SIGNER.payload(token[:index] + letter + token[index + 1 :])


@given(st.text(max_size=80))
def test_any_text_is_refused_without_another_error(text: str) -> None:
    with pytest.raises(TokenError):
        SIGNER.payload(text)


def test_what_is_wrong_with_a_token_is_told_apart() -> None:
    token = SIGNER.token(b"payload", expires=NOW)
    with pytest.raises(MalformedToken):
        SIGNER.payload("not a token")
    with pytest.raises(TamperedToken):
        SIGNER.payload(token[:-1] + ("A" if token[-1] != "A" else "B"))
    with pytest.raises(ExpiredToken):
        SIGNER.payload(token, now=NOW)
    assert SIGNER.payload(token, now=NOW - timedelta(seconds=1)) == b"payload"


def test_purposes_and_rings_are_strangers() -> None:
    token = SIGNER.token(b"payload")
    for stranger in (Signer.of([KEY], "links"), Signer.of([OTHER], "cursors")):
        with pytest.raises(TamperedToken):
            stranger.payload(token)
    assert Signer.of([OTHER, KEY], "cursors").payload(token) == b"payload"


def test_a_mac_belongs_to_its_message() -> None:
    mac = SIGNER.mac(b"message")
    assert SIGNER.verifies(b"message", mac)
    assert not SIGNER.verifies(b"massage", mac)
    assert not SIGNER.verifies(b"message", mac[:-1])


def test_a_signer_needs_a_key() -> None:
    with pytest.raises(ValueError, match="needs a key"):
        Signer.of([], "cursors")


def test_the_worker_can_import_it() -> None:
    script = "import sys, arcane.kit.signing; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"fastapi", "sqlalchemy", "sqlmodel", "aiohttp", "arcane.spi"} & set(loaded)
