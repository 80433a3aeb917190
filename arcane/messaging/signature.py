"""Requests between a worker and its backend are signed: method, path, time and body, with the key they share.

The time bounds how long a recorded request can be sent again; what a request does must not depend on
being sent once (envelopes carry an id).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from arcane.kit.signing import Signer

PURPOSE = "worker"
TIME_HEADER = "arcane-time"
SIGNATURE_HEADER = "arcane-signature"
TOLERANCE_S = 60.0


class SignatureRefused(Exception):
    """The request is not from a holder of the key, or too old."""


def worker_signer(key: str) -> Signer:
    """Returns the signer that both sides make from the key they share."""
    return Signer.of([key.encode()], PURPOSE)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """The parts of a request that the signature covers, beside its time."""

    method: str
    path: str
    body: bytes

    def at(self, time: str) -> bytes:
        """Returns the bytes that are signed when the request is sent at `time`."""
        return f"{self.method}\n{self.path}\n{time}\n".encode() + self.body


def signed_headers(signer: Signer, request: SignedRequest, now: datetime) -> dict[str, str]:
    """Returns the headers that prove where the request comes from."""
    time = f"{now.timestamp():.3f}"
    return {TIME_HEADER: time, SIGNATURE_HEADER: base64.b64encode(signer.mac(request.at(time))).decode()}


def verify(signer: Signer, request: SignedRequest, headers: Mapping[str, str], now: datetime) -> None:
    """The request was signed with the shared key, not long ago. Raises SignatureRefused."""
    time, signature = headers.get(TIME_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
    try:
        mac, sent = base64.b64decode(signature, validate=True), float(time)
    except (binascii.Error, ValueError):
        raise SignatureRefused("the request is not signed") from None
    if not signer.verifies(request.at(time), mac):
        raise SignatureRefused("the signature does not fit")
    if not abs(now.timestamp() - sent) <= TOLERANCE_S:
        raise SignatureRefused("the request is too old, or the clocks differ")
