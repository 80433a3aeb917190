"""The form of a Jaeger, and the headers that come of it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from arcane.spi import AdapterContext
from datasources.jaeger.plugin import PLUGIN
from datasources.jaeger.settings import JaegerSettings, headers_of
from datasources.jaeger.stores import STORES


def settings(**values: object) -> JaegerSettings:
    return JaegerSettings.model_validate({"url": "http://jaeger:16686", **values})


@pytest.mark.parametrize(
    "values",
    [
        {"url": "jaeger:16686"},
        {"tenant": "a\r\nX-Evil: 1"},
        {"tenant": " a"},
        {"tenant_header": ""},
        {"tenant_header": "x tenant"},
        {"tenant_header": "x-tenant: a"},
        {"storage": "kafka"},
        {"longest_trace_minutes": -1},
        {"max_services": 0},
        {"max_traces": 59},
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(**values)


def test_the_tenant_travels_in_the_header_that_jaeger_reads() -> None:
    assert headers_of(settings()) == {}
    assert headers_of(settings(tenant="team a")) == {"x-tenant": "team a"}
    found = headers_of(settings(tenant="a", tenant_header="x-org", auth="bearer", token="t0k"))
    assert found == {"x-org": "a", "Authorization": "Bearer t0k"}


def test_every_storage_of_the_form_has_a_row() -> None:
    for storage in STORES:
        assert settings(storage=storage).storage == storage


def test_connecting_makes_no_request_and_takes_the_bounds() -> None:
    context = AdapterContext(http=None, max_response_bytes=1)  # type: ignore[arg-type]
    adapter = PLUGIN.connect(settings(max_traces=500, url="http://jaeger:16686/base/"), context)
    assert adapter.capabilities.max_limit == 500
    assert PLUGIN.base_url(settings(url="http://jaeger:16686/base/")) == "http://jaeger:16686/base"
