"""The form of a Tempo, and the headers that come of it."""

from __future__ import annotations

from base64 import b64decode

import pytest
from pydantic import ValidationError

from arcane.spi import AdapterContext
from datasources.tempo.plugin import PLUGIN
from datasources.tempo.settings import TempoSettings, headers_of


def settings(**values: object) -> TempoSettings:
    return TempoSettings.model_validate({"url": "http://tempo:3200", **values})


@pytest.mark.parametrize(
    "values",
    [
        {"url": "tempo:3200"},
        {"tenant": "a/b"},
        {"tenant": "a\r\nX-Evil: 1"},
        {"extra_headers": "A: b\n\nC D: e"},
        {"max_range_hours": 0},
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(**values)


def test_a_trailing_slash_is_no_part_of_the_address() -> None:
    assert PLUGIN.base_url(settings(url=" https://host/tempo/ ")) == "https://host/tempo"


def test_no_header_is_sent_unless_asked_for() -> None:
    assert headers_of(settings()) == {}


def test_tenant_credentials_and_custom_headers_travel() -> None:
    found = headers_of(
        settings(tenant="a|b", auth="basic", username="me", password="pä:ss", extra_headers="X-Team: llm\n")
    )
    assert found["X-Scope-OrgID"] == "a|b"
    assert b64decode(found["Authorization"].removeprefix("Basic ")).decode() == "me:pä:ss"
    assert found["X-Team"] == "llm"


def test_connecting_makes_no_request() -> None:
    context = AdapterContext(http=None, max_response_bytes=1)  # type: ignore[arg-type]
    assert PLUGIN.connect(settings(), context).capabilities.push
