"""Where a backend is, as whom we come, and the headers that come of it."""

from __future__ import annotations

from base64 import b64decode

import pytest
from pydantic import Field, ValidationError

from arcane.spi import HttpConnection, connection_headers


class Stack(HttpConnection):
    """A kind's settings: the address said again, and a field of its own."""

    url: str = Field(title="URL", description="Where Stack answers.")
    depth: int = 3


def stack(**values: object) -> Stack:
    return Stack.model_validate({"url": "http://stack", **values})


@pytest.mark.parametrize(
    "values",
    [
        {"url": "stack:80"},
        {"url": "ftp://stack"},
        {"url": "http://"},
        {"url": "http://user:secret@stack"},
        {"url": "http://stack?x=1"},
        {"url": "http://stack#x"},
        {"auth": "basic"},
        {"auth": "bearer"},
        {"auth": "digest"},
        {"extra_headers": "no colon"},
        {"extra_headers": "Host: elsewhere"},
        {"extra_headers": "A: b\n\nC D: secret"},
        {"extra_headers": "A: b\x00secret"},
    ],
)
def test_what_cannot_work_is_refused_without_being_quoted(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        stack(**values)
    assert "secret" not in str([error["msg"] for error in refused.value.errors()])


def test_a_kind_that_says_more_about_the_address_keeps_its_rules_and_its_place() -> None:
    assert stack(url=" https://host/stack/ ").url == "https://host/stack"
    assert next(iter(Stack.model_fields)) == "url"
    assert list(Stack.model_fields)[-1] == "depth"


def test_no_header_is_sent_unless_asked_for() -> None:
    assert connection_headers(stack()) == {}


def test_credentials_become_one_header() -> None:
    basic = connection_headers(stack(auth="basic", username="me", password="pä:ss"))
    assert b64decode(basic["Authorization"].removeprefix("Basic ")).decode() == "me:pä:ss"
    assert connection_headers(stack(auth="bearer", token="t0k")) == {"Authorization": "Bearer t0k"}


def test_what_a_person_adds_goes_over_the_rest_however_it_is_spelled() -> None:
    connection = stack(auth="bearer", token="t0k", extra_headers="authorization: Other\n\nx-tenant: b\nX-Team: llm\n")
    found = connection_headers(connection, {"X-Tenant": "a", "X-Own": "1"})
    assert found == {"X-Own": "1", "authorization": "Other", "x-tenant": "b", "X-Team": "llm"}


def test_secrets_are_masked_wherever_settings_are_shown() -> None:
    shown = stack(auth="bearer", token="t0k", password="hush", extra_headers="X-Key: hush")
    assert "t0k" not in repr(shown)
    assert "hush" not in repr(shown) + shown.model_dump_json()
