"""A prompt that somebody waits for, or a scorer that is tried: the backend asks a worker over HTTP.

The request is signed like every one between the two. Its secrets are sealed for it alone, so they lie open in neither
a log nor a proxy; the answer is a stream of server-sent events, one `RunEvent` each, read while it comes. Hanging up
ends the call.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from arcane.kit.signing import derived_key
from arcane.messaging.envelope import Body
from arcane.messaging.generation import Generated, ModelSpec, PromptSpec
from arcane.messaging.scoring import ScorerSpec, Verdict

RUN_PATH = "/internal/v1/run"
TRY_PATH = "/internal/v1/try"

_NONCE_BYTES = 12
_PURPOSE = "secrets of a run"


class RunRequest(Body, frozen=True, kw_only=True, tag="run_request"):
    """Fill the prompt with `inputs` and ask the model. `sealed` are the provider's secrets (see `seal`)."""

    run: UUID
    organisation: UUID
    prompt: PromptSpec
    model: ModelSpec
    inputs: Mapping[str, Any] = {}
    deadline_s: float
    sealed: bytes


class TryRequest(Body, frozen=True, kw_only=True, tag="try_request"):
    """Judge `inputs` with the scorer. `sealed` are the secrets of its models (see `packed` and `seal`)."""

    run: UUID
    organisation: UUID
    scorer: ScorerSpec
    inputs: Mapping[str, Any] = {}
    deadline_s: float
    sealed: bytes


class RunText(msgspec.Struct, frozen=True, kw_only=True, tag="text"):
    """Some more of the answer."""

    text: str


class RunDone(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """The whole answer, last."""

    generated: Generated


class RunJudged(msgspec.Struct, frozen=True, kw_only=True, tag="judged"):
    """The verdict, which is all there is of it."""

    verdict: Verdict


class RunFailed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """There is no (further) answer. `detail` may quote the prompt: it is shown to whoever waits, and not kept."""

    cause: str
    message: str
    detail: str = ""
    retry: bool = False


RunEvent = RunText | RunDone | RunJudged | RunFailed


class Unsealable(Exception):
    """The secrets were sealed for another request, or with another key."""


def packed(secrets: Mapping[UUID, Mapping[str, str]]) -> dict[str, str]:
    """Returns the secrets of several model configurations as those of one run."""
    return {f"{configuration}:{name}": value for configuration, own in secrets.items() for name, value in own.items()}


def unpacked(secrets: Mapping[str, str], configuration: UUID) -> dict[str, str]:
    """Returns those of `packed` secrets that are one configuration's."""
    own = f"{configuration}:"
    return {name.removeprefix(own): value for name, value in secrets.items() if name.startswith(own)}


def seal(key: str, run: UUID, secrets: Mapping[str, str]) -> bytes:
    """Returns `secrets` so that only a holder of the workers' key can read them, and only for this run."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(key).encrypt(nonce, msgspec.json.encode(dict(secrets)), run.bytes)


def unseal(key: str, run: UUID, sealed: bytes) -> dict[str, str]:
    """Returns the secrets. Raises Unsealable."""
    try:
        text = _cipher(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], run.bytes)
        return msgspec.json.decode(text, type=dict[str, str])
    except (InvalidTag, ValueError, msgspec.MsgspecError) as exc:
        raise Unsealable("the secrets cannot be read") from exc


def _cipher(key: str) -> AESGCM:
    return AESGCM(derived_key(key.encode(), _PURPOSE))
