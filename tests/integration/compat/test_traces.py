"""Datasources and traces through the published client, sync and async: what it calls, and what it is promised."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from arcane_sdk import ArcaneClient, ArcaneClientAsync
from arcane_sdk.errors import ArcanApiError, ArcanNotFoundError, ArcanUnauthorizedError

from tests.support.premises import END, START, TRACE_ID, Premises
from tests.support.served import Served, Visitor

pytestmark = pytest.mark.postgres

AROUND = {"start": START, "end": END}


def test_datasources_are_listed_with_what_can_be_asked_of_them(sdk: ArcaneClient, place: Premises) -> None:
    (source,) = sdk.datasources.list()
    assert source["id"] == place.datasource_id
    assert (source["type"], source["source"]) == ("traces", "otlp_file")
    assert all(source[flag] is True for flag in source if flag.startswith("is"))


def test_a_search_has_the_originals_shape_and_says_how_complete_it_is(sdk: ArcaneClient, place: Premises) -> None:
    answer = sdk.traces.search(place.datasource_id, {**AROUND, "q": "{ resource.service.name != nil }", "limit": 2})
    assert len(answer["traces"]) == 2
    assert answer["sources"][0]["status"] == "ok"
    trace: dict[str, Any] = answer["traces"][0]
    assert set(trace) == {"traceID", "rootServiceName", "rootTraceName", "startTimeUnixNano", "durationMs", "spanSet"}
    assert trace["spanSet"]["matched"] >= 1
    (span, *_) = trace["spanSet"]["spans"]
    assert set(span) == {"spanID", "name", "serviceName", "startTimeUnixNano", "durationNanos", "attributes"}
    assert [pair["key"] for pair in span["attributes"]] == ["service.name"]


def test_every_member_of_a_search_narrows_it(sdk: ArcaneClient, place: Premises) -> None:
    def found(**more: Any) -> set[str]:
        answer = sdk.traces.search(place.datasource_id, {**AROUND, "limit": 100, **more})
        return {trace["traceID"] for trace in answer["traces"]}

    everything = found()
    service = sdk.traces.search(place.datasource_id, AROUND)["traces"][0]["rootServiceName"]
    assert set() < found(serviceName=service) <= everything
    assert found(attributes=f'service.name="{service}"') == found(serviceName=service)
    assert found(filterByAttributeExists=["service.name"]) == everything
    assert found(serviceName="nobody") == found(minDuration=9e18) == found(operationName="nothing") == set()


def test_a_trace_comes_in_batches(sdk: ArcaneClient, place: Premises) -> None:
    batches = sdk.traces.get(place.datasource_id, TRACE_ID)["batches"]
    spans = [span for batch in batches for scope in batch["scopeSpans"] for span in scope["spans"]]
    assert {span["traceId"] for span in spans} == {TRACE_ID}
    assert all(batch["resource"]["attributes"] for batch in batches)


def test_attribute_names_and_values_are_texts(sdk: ArcaneClient, served: Served, place: Premises) -> None:
    assert sdk.traces.get_attribute_names(place.datasource_id) == []  # nothing in the last hour
    assert sdk.traces.get_attribute_values(place.datasource_id, "service.name") == []
    public = f"{served.address}/api/public/datasources/{place.datasource_id}/traces/attributes"
    auth = ("api-key", place.key)
    names = httpx.get(public, params=AROUND, auth=auth).json()
    assert "service.name" in names
    values = httpx.get(f"{public}/service.name/values", params=AROUND, auth=auth).json()
    assert values
    assert all(isinstance(value, str) for value in values)


def test_errors_are_the_clients_own(served: Served, sdk: ArcaneClient, place: Premises, owner: Visitor) -> None:
    with pytest.raises(ArcanNotFoundError, match="trace") as unknown:
        sdk.traces.get(place.datasource_id, "f" * 32)
    assert unknown.value.request_id
    with pytest.raises(ArcanNotFoundError, match="datasource"):
        sdk.traces.search("no-such-id", {})
    with pytest.raises(ArcanApiError, match="declared shape") as shape:
        sdk.traces.search(place.datasource_id, {"unknown": 1})
    assert shape.value.status_code == 422
    with pytest.raises(ArcanApiError) as query:
        sdk.traces.search(place.datasource_id, {"q": "{ status = }"})
    assert query.value.status_code == 400
    with (
        ArcaneClient(base_url=served.address, api_key="sk-arcane-nobody", max_retries=0) as stranger,
        pytest.raises(ArcanUnauthorizedError),
    ):
        stranger.datasources.list()
    assert owner.get("/api/public/datasources").status_code == 401  # a browser's session has no project


@pytest.mark.anyio
async def test_the_async_client_says_the_same(sdk: ArcaneClient, asking: ArcaneClientAsync, place: Premises) -> None:
    source, body = place.datasource_id, {**AROUND, "limit": 3}
    assert await asking.datasources.list() == sdk.datasources.list()
    assert (await asking.traces.search(source, body))["traces"] == sdk.traces.search(source, body)["traces"]
    assert await asking.traces.get(source, TRACE_ID) == sdk.traces.get(source, TRACE_ID)
    assert await asking.traces.get_attribute_names(source) == sdk.traces.get_attribute_names(source)
    assert await asking.traces.get_attribute_values(source, "service.name") == []
