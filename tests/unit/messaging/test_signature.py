"""A request between worker and backend is accepted from a holder of the key, unchanged and recent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from arcane.messaging.signature import (
    SIGNATURE_HEADER,
    TIME_HEADER,
    TOLERANCE_S,
    SignatureRefused,
    SignedRequest,
    signed_headers,
    verify,
    worker_signer,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SIGNER = worker_signer("k" * 32)
REQUEST = SignedRequest("POST", "/internal/v1/workers/announcements", b'{"a":1}')
HEADERS = signed_headers(SIGNER, REQUEST, NOW)


def test_accepts_what_the_other_side_signed() -> None:
    verify(SIGNER, REQUEST, HEADERS, NOW + timedelta(seconds=TOLERANCE_S - 1))


@pytest.mark.parametrize(
    "changed",
    [replace(REQUEST, method="PUT"), replace(REQUEST, path="/internal/v1/other"), replace(REQUEST, body=b'{"a":2}')],
    ids=["method", "path", "body"],
)
def test_refuses_a_changed_request(changed: SignedRequest) -> None:
    with pytest.raises(SignatureRefused, match="does not fit"):
        verify(SIGNER, changed, HEADERS, NOW)


def test_refuses_another_key() -> None:
    with pytest.raises(SignatureRefused, match="does not fit"):
        verify(worker_signer("x" * 32), REQUEST, HEADERS, NOW)


@pytest.mark.parametrize("seconds", [TOLERANCE_S + 1, -TOLERANCE_S - 1])
def test_refuses_a_request_that_was_recorded(seconds: float) -> None:
    with pytest.raises(SignatureRefused, match="too old"):
        verify(SIGNER, REQUEST, HEADERS, NOW + timedelta(seconds=seconds))


def test_the_time_is_signed_too() -> None:
    later = NOW + timedelta(hours=1)
    fresh = signed_headers(SIGNER, REQUEST, later)[TIME_HEADER]
    with pytest.raises(SignatureRefused, match="does not fit"):
        verify(SIGNER, REQUEST, HEADERS | {TIME_HEADER: fresh}, later)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {TIME_HEADER: "soon", SIGNATURE_HEADER: "AA=="},
        {TIME_HEADER: "1", SIGNATURE_HEADER: "not base64"},
        {TIME_HEADER: "nan"},
    ],
    ids=["none", "bad time", "bad signature", "no signature"],
)
def test_refuses_a_request_without_a_readable_signature(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureRefused):
        verify(SIGNER, REQUEST, headers, NOW)
