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
        {"url": "ftp://tempo"},
        {"url": "http://"},
        {"url": "http://user:secret@tempo"},
        {"url": "http://tempo?x=1"},
        {"url": "http://tempo#x"},
        {"tenant": "a/b"},
        {"tenant": "a\r\nX-Evil: 1"},
        {"auth": "basic"},
        {"auth": "bearer"},
        {"auth": "digest"},
        {"extra_headers": "no colon"},
        {"extra_headers": "Host: elsewhere"},
        {"extra_headers": "A: b\n\nC D: e"},
        {"max_range_hours": 0},
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**values)
    assert "secret" not in str([error["msg"] for error in refused.value.errors()])


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
    assert headers_of(settings(auth="bearer", token="t0k"))["Authorization"] == "Bearer t0k"


def test_secrets_are_masked_wherever_settings_are_shown() -> None:
    shown = settings(auth="bearer", token="t0k", password="hush", extra_headers="X-Key: hush")
    assert "t0k" not in repr(shown)
    assert "hush" not in repr(shown)
    assert "hush" not in shown.model_dump_json()


def test_connecting_makes_no_request() -> None:
    context = AdapterContext(http=None, max_response_bytes=1)  # type: ignore[arg-type]
    assert PLUGIN.connect(settings(), context).capabilities.push
