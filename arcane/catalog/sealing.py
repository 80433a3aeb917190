"""Settings at rest: what anyone may read on one side, each secret in its own envelope on the other.

A secret is whatever a settings model holds as `SecretStr` or `SecretBytes`, however deep. Its place is
the JSON pointer to it: the row's `settings` leave it out, the row's `secrets` have its envelope.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel, SecretBytes, SecretStr

from arcane.catalog.form import MASK
from arcane.kit.secrets import KeyRing, Place

_TABLE = "datasources"


class _Absent:
    """A path that a document does not have."""


ABSENT: Final = _Absent()


def opened(model: BaseModel) -> tuple[dict[str, Any], dict[str, str]]:
    """Returns the settings of `model` without its secrets, and pointer -> secret, unset ones as ""."""
    plain = model.model_dump(mode="json", by_alias=True)
    typed = model.model_dump(mode="python", by_alias=True)
    secrets: dict[str, str] = {}
    return _public(typed, plain, "", secrets), secrets


def _public(typed: Any, plain: Any, pointer: str, secrets: dict[str, str]) -> Any:
    """The part that is no secret; ABSENT for a secret, null for one in a list, so that the others keep their place."""
    if isinstance(typed, SecretStr | SecretBytes):
        secret = typed.get_secret_value()
        secrets[pointer] = secret if isinstance(secret, str) else secret.decode()
        return ABSENT
    if isinstance(typed, dict) and isinstance(plain, dict):
        parts = (
            (key, _public(value, plain[key], f"{pointer}/{escaped(key)}", secrets))
            for key, value in zip(plain, typed.values(), strict=True)
        )
        return {key: part for key, part in parts if part is not ABSENT}
    if isinstance(typed, list | tuple) and isinstance(plain, list):
        found = [_public(value, plain[index], f"{pointer}/{index}", secrets) for index, value in enumerate(typed)]
        return [None if part is ABSENT else part for part in found]
    return plain


def sealed(secrets: Mapping[str, str], row: str, keys: KeyRing, table: str = _TABLE) -> dict[str, str]:
    """Returns pointer -> envelope for every secret that is set."""
    return {pointer: keys.encrypt(secret, Place(table, row, pointer)) for pointer, secret in secrets.items() if secret}


def unsealed(pointer: str, envelope: str, row: str, keys: KeyRing, table: str = _TABLE) -> str:
    """Returns the secret; raises SecretUnreadable."""
    return keys.decrypt(envelope, Place(table, row, pointer))


def masked(public: Mapping[str, Any], secret_pointers: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the settings with MASK wherever a secret is set."""
    shown: dict[str, Any] = copied(public)
    for pointer in secret_pointers:
        place(shown, pointer, MASK)
    return shown


def merged(
    public: Mapping[str, Any],
    change: Mapping[str, Any],
    kept: Callable[[str], str],
    pointers: Mapping[str, Any],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Returns the settings after `change` (an RFC 7396 merge patch), and the pointers of secrets that were kept.

    A secret that `change` leaves out or sends back masked is kept: `kept` is asked for it.
    """
    settings: dict[str, Any] = _patched(copied(public), change)
    retained = []
    for pointer in pointers:
        given = at(change, pointer)
        if (given is ABSENT or given == MASK) and has_parent(settings, pointer):
            place(settings, pointer, kept(pointer))
            retained.append(pointer)
    return settings, tuple(retained)


def _patched(target: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _patched(result.get(key), value)
    return result


def copied(document: Any) -> Any:
    """Returns a deep copy of a JSON document."""
    if isinstance(document, Mapping):
        return {key: copied(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [copied(value) for value in document]
    return document


def escaped(key: object) -> str:
    """Returns a key as a part of a JSON pointer (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def at(document: Any, pointer: str) -> Any:
    """Returns the value at `pointer`; ABSENT where a mapping lacks a key, None where the path ends early."""
    for part in _parts(pointer):
        if isinstance(document, Mapping):
            if part not in document:
                return ABSENT
            document = document[part]
        elif isinstance(document, list) and part.isdecimal() and int(part) < len(document):
            document = document[int(part)]
        else:
            return None
    return document


def has_parent(document: Any, pointer: str) -> bool:
    """True when something can be placed at `pointer`."""
    *parents, last = _parts(pointer)
    parent = at(document, "".join(f"/{escaped(part)}" for part in parents))
    if isinstance(parent, list):
        return last.isdecimal() and int(last) < len(parent)
    return isinstance(parent, Mapping)


def place(document: Any, pointer: str, value: Any) -> None:
    """`document` has `value` at `pointer`, if it has a place there."""
    if not has_parent(document, pointer):
        return
    *parents, last = _parts(pointer)
    for part in parents:
        document = document[int(part)] if isinstance(document, list) else document[part]
    document[int(last) if isinstance(document, list) else last] = value
