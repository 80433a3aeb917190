"""Secrets at rest: AES-256-GCM under a key ring.

    envelope = "v1." key id "." base64url(nonce | ciphertext | tag)

The first key of the ring encrypts, the key that the envelope names decrypts. The associated data of
an envelope is its place (table, row, field): copied into another row, it opens nothing.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from arcane.kit.signing import Signer, derived_key
from arcane.settings import SecretSettings

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = "v1"
_FEWEST_DISTINCT_BYTES = 16  # 32 random bytes have 30 different ones; fewer than 16 is no accident
_HINT = "make one with `arcane generate-key` and put it into ARCANE_SECRETS__KEYS"


class KeyRingError(ValueError):
    """The key ring cannot be used; the message is one line that says what to do."""


class SecretUnreadable(Exception):
    """An envelope that no key of the ring opens: the key is gone, or the envelope is not where it was made."""


def generate_key() -> str:
    """Returns a new key as it stands in settings: base64 of 32 random bytes."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret lives."""

    table: str
    row: str
    field: str

    @property
    def associated_data(self) -> bytes:
        """The bytes an envelope is bound to; unit separators keep the parts apart."""
        return "\x1f".join((_VERSION, self.table, self.row, self.field)).encode()


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """All keys of this instance, newest first."""

    keys: tuple[bytes, ...]
    ids: tuple[str, ...]

    @classmethod
    def of(cls, settings: SecretSettings) -> KeyRing:
        """Returns the ring of `settings`; raises KeyRingError for none, a short one or a placeholder."""
        return cls.from_texts([key.get_secret_value() for key in settings.keys])

    @classmethod
    def from_texts(cls, texts: Sequence[str]) -> KeyRing:
        """Returns the ring of keys in base64, newest first; raises KeyRingError."""
        if not texts:
            raise KeyRingError(f"there is no key to protect secrets with; {_HINT}")
        keys = tuple(_checked(text, number) for number, text in enumerate(texts, start=1))
        if len(set(keys)) != len(keys):
            raise KeyRingError("ARCANE_SECRETS__KEYS names the same key twice; remove one of them")
        return cls(keys, tuple(_id_of(key) for key in keys))

    @property
    def newest(self) -> str:
        """The id of the key that encrypts."""
        return self.ids[0]

    def encrypt(self, text: str, place: Place) -> str:
        """Returns the envelope of `text` for `place`."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(_encryption_key(self.keys[0])).encrypt(nonce, text.encode(), place.associated_data)
        return f"{_VERSION}.{self.newest}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def decrypt(self, envelope: str, place: Place) -> str:
        """Returns the text of an envelope; raises SecretUnreadable, which names the key id and no secret."""
        key_id, sealed = _opened(envelope)
        if key_id not in self.ids:
            raise SecretUnreadable(f"the key {key_id} is not in the ring; put it back behind the newer ones")
        key = self.keys[self.ids.index(key_id)]
        try:
            nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
            return AESGCM(_encryption_key(key)).decrypt(nonce, rest, place.associated_data).decode()
        except (InvalidTag, ValueError):
            raise SecretUnreadable("the secret was changed, or belongs to another place") from None

    def is_current(self, envelope: str) -> bool:
        """True when `envelope` was made with the first key."""
        return _opened(envelope)[0] == self.newest

    def signer(self, purpose: str) -> Signer:
        """Returns the signer of `purpose` (arcane.kit.signing) whose keys derive from this ring."""
        return Signer.of(self.keys, purpose)


def _opened(envelope: str) -> tuple[str, bytes]:
    version, _, rest = envelope.partition(".")
    key_id, _, text = rest.partition(".")
    if version != _VERSION or not key_id:
        raise SecretUnreadable("not an envelope of this release")
    try:
        return key_id, base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SecretUnreadable("not an envelope of this release") from None


def _checked(text: str, number: int) -> bytes:
    where = f"key {number} of ARCANE_SECRETS__KEYS"
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise KeyRingError(f"{where} is not base64; {_HINT}") from None
    if len(key) != KEY_BYTES:
        raise KeyRingError(f"{where} has {len(key)} bytes instead of {KEY_BYTES}; {_HINT}")
    if len(set(key)) < _FEWEST_DISTINCT_BYTES or all(0x20 <= byte < 0x7F for byte in key):
        raise KeyRingError(f"{where} is a placeholder, not a random key; {_HINT}")
    return key


def _id_of(key: bytes) -> str:
    return derived_key(key, "key id", 6).hex()


def _encryption_key(key: bytes) -> bytes:
    return derived_key(key, "encrypt")
