"""One trace over HTTP: assembled from several datasources, redacted, streamed, downloaded."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from arcane.access.scope import TraceFilter
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.trace import Trace
from arcane.spi.errors import Unreachable
from arcane.spi.otlp import decode_json
from arcane.traces.trace_schemas import ExchangeOut, TraceOut
from datasources.memory.adapter import Faults
from tests.support.asking import NOON_NANOS, Asker, asking, numbered, part_of

pytestmark = pytest.mark.anyio

DOWN = Faults(scan=Unreachable("No connection to the backend."), get_trace=Unreachable("No connection to the backend."))
ID = numbered(0).trace_id


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    async with asking() as made:
        yield made


def rich() -> Trace:
    """A trace with something in every place."""
    return Trace(
        TraceId("ab" * 16),
        [
            Span(
                TraceId("ab" * 16),
                SpanId("01" * 8),
                "",
                "chat",
                SpanKind.CLIENT,
                NOON_NANOS,
                NOON_NANOS + 2_500,
                StatusCode.ERROR,
                "it broke",
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.request.model": "gpt-4o",
                    "gen_ai.usage.input_tokens": 11,
                    "gen_ai.usage.output_tokens": 7,
                    "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"How are you?"}]}]',
                    "bytes": b"\x00\xff",
                    "not a number": float("nan"),
                    "big": 2**62,
                    "list": ["a", 1, None],
                    "map": {"k": [True]},
                },
                (SpanEvent("exception", NOON_NANOS + 1_000, {"exception.type": "ValueError"}),),
                (SpanLink(TraceId("cd" * 16), SpanId("ef" * 8), "", {"why": "retry"}),),
                Resource({"service.name": "shop"}),
                InstrumentationScope("lib", "1.2", {"scope.attribute": "s"}),
            )
        ],
    )


async def test_a_trace_is_shown_with_its_tables_and_its_sources(asker: Asker) -> None:
    asker.add("store", [numbered(0, spans=3)])
    answer = await asker.get(f"/traces/{ID.lstrip('0')}")
    assert (answer["trace_id"], answer["span_count"], answer["error_count"]) == (ID, 3, 1)
    assert answer["root"] == {"span_id": "0000000100000001", "name": "GET /", "service": "service-0"}
    assert answer["resources"] == [{"attributes": {"service.name": "service-0"}}]
    assert [span["name"] for span in answer["spans"]] == ["GET /", "step 1", "step 2"]
    assert [span["offset_ns"] for span in answer["spans"]] == [0, 1_000, 2_000]
    assert answer["spans"][0]["parent_span_id"] is None
    assert answer["spans"][1]["parent_span_id"] == "0000000100000001"
    assert answer["spans"][2]["status"] == "error"
    assert answer["sources"][0]["rows"] == 3
    assert answer["complete"] is True


async def test_parts_of_a_trace_are_put_together_and_say_where_they_came_from(asker: Asker) -> None:
    trace = numbered(0, spans=3)
    asker.add("front", [part_of(trace, root=True)])
    asker.add("copy", [trace])
    asker.add("empty", [numbered(5)])
    answer = await asker.get(f"/traces/{ID}")
    assert [span["sources"] for span in answer["spans"]] == [[0, 1], [1], [1]]
    assert [(one["name"], one["status"], one["rows"]) for one in answer["sources"]] == [
        ("front", "ok", 1),
        ("copy", "ok", 3),
        ("empty", "ok", 0),
    ]


async def test_a_part_that_did_not_come_is_named(asker: Asker) -> None:
    asker.add("front", [part_of(numbered(0), root=True)])
    asker.add("down", [], faults=DOWN)
    answer = await asker.get(f"/traces/{ID}")
    assert answer["complete"] is False
    assert answer["sources"][1]["error"]["message"] == "No connection to the backend."


async def test_what_is_missing_or_odd_is_told_and_nothing_is_mended(asker: Asker) -> None:
    one = numbered(0)
    early = msgspec.structs.replace(one.spans[1], start=one.start - 5_000_000, resource=Resource({"service.name": "x"}))
    asker.add("cut", [Trace(one.trace_id, [one.spans[0], early], ("The backend cut this trace at 1 MB.",))])
    asker.add("other", [one])
    answer = await asker.get(f"/traces/{ID}")
    first, second, third = answer["warnings"]
    assert first == "The backend cut this trace at 1 MB."
    assert second.startswith("1 spans differ between datasources")
    assert third.startswith("1 spans begin before their parent, by up to 5.000 ms")
    assert answer["sources"][0]["status"] == "partial"
    assert answer["spans"][0]["offset_ns"] == 0


async def test_not_found_is_said_only_when_every_datasource_says_so(asker: Asker) -> None:
    asker.add("store", [numbered(5)])
    assert (await asker.get(f"/traces/{ID}", 404))["type"] == "/problems/trace-not-found"
    asker.add("down", [], faults=DOWN)
    problem = await asker.get(f"/traces/{ID}", 502)
    assert problem["type"] == "/problems/trace-uncertain"
    assert "down" in problem["detail"]
    asker.shelf.held.pop(next(iter(asker.shelf.held)))
    assert (await asker.get(f"/traces/{ID}", 502))["type"] == "/problems/all-datasources-failed"


@pytest.mark.parametrize("text", ["xyz", "0", "0" * 32, "1" * 33, "%20", "..%2f..%2fapi"])
async def test_an_id_that_is_none_has_its_own_problem(asker: Asker, text: str) -> None:
    answer = await asker.client.get(f"{asker.root}/traces/{text}")
    assert answer.status_code in (400, 404)
    assert answer.json()["type"] in ("/problems/bad-trace-id", "/problems/not-found")


async def test_a_trace_of_another_project_is_not_there(asker: Asker) -> None:
    asker.add("store", [numbered(0, team="red")])
    asker.scope.trace_filter = TraceFilter("team", "blue")
    for path in (f"/traces/{ID}", f"/traces/{ID}/otlp", f"/traces/{ID}/spans/0000000100000001/messages"):
        assert (await asker.get(path, 404))["type"] == "/problems/trace-not-found"
    asker.scope.trace_filter = TraceFilter("team", "red")
    assert (await asker.get(f"/traces/{ID}"))["span_count"] == 2
    # What makes it this project's may be where nobody answers; a stranger learns no more than of a trace that is none.
    asker.add("down", [], faults=DOWN)
    asker.scope.trace_filter = TraceFilter("team", "blue")
    problem, nothing = await asker.get(f"/traces/{ID}", 502), await asker.get(f"/traces/{'9' * 32}", 502)
    for one in (problem, nothing):
        assert (one["type"], [source["rows"] for source in one["sources"]]) == ("/problems/trace-uncertain", [0, 0])


async def test_everything_a_span_has_is_there(asker: Asker) -> None:
    asker.add("store", [rich()])
    answer = await asker.get(f"/traces/{'ab' * 16}")
    TraceOut.model_validate(answer)
    (span,) = answer["spans"]
    assert span["start"] == "2026-08-01T12:00:00.000000000Z"
    assert (span["duration_ns"], span["status"], span["status_message"], span["kind"]) == (
        2_500,
        "error",
        "it broke",
        "client",
    )
    assert span["events"] == [
        {
            "name": "exception",
            "time": "2026-08-01T12:00:00.000001000Z",
            "offset_ns": 1_000,
            "attributes": {"exception.type": "ValueError"},
        }
    ]
    assert span["links"] == [{"trace_id": "cd" * 16, "span_id": "ef" * 8, "attributes": {"why": "retry"}}]
    assert span["attributes"]["bytes"] == "AP8="
    assert span["attributes"]["not a number"] is None
    assert span["attributes"]["big"] == 2**62
    assert answer["scopes"] == [{"name": "lib", "version": "1.2", "attributes": {"scope.attribute": "s"}}]
    assert (span["llm"]["kind"], span["llm"]["request_model"]) == ("llm", "gpt-4o")
    assert answer["llm"]["tokens"] == {"input": 11, "output": 7, "total": 18}


async def test_hidden_values_and_what_is_made_of_them_do_not_leave(asker: Asker) -> None:
    asker.add("store", [rich()])
    path = f"/traces/{'ab' * 16}"
    hidden = ("gen_ai.usage.input_tokens", "exception.type", "why", "service.name", "scope.attribute", "map")
    asker.scope.hidden = frozenset({*hidden, "gen_ai.input.messages"})
    for end in ("", "/otlp", f"/spans/{'01' * 8}/messages"):
        text = (await asker.client.get(asker.root + path + end)).text
        for value in ("ValueError", "retry", "shop", '"s"', "How are you?"):
            assert value not in text, (end, value)
    answer = await asker.get(path)
    assert answer["spans"][0]["attributes"]["gen_ai.usage.input_tokens"] == "[REDACTED]"
    assert answer["llm"].get("tokens", {}).get("input", 0) == 0
    asker.scope.hidden = frozenset()
    assert "ValueError" in (await asker.client.get(asker.root + path)).text, "the datasource's own trace is untouched"


async def test_messages_of_a_span_are_read_in_its_dialect(asker: Asker) -> None:
    asker.add("store", [rich()])
    answer = await asker.get(f"/traces/{'ab' * 16}/spans/{'01' * 8}/messages")
    ExchangeOut.model_validate(answer)
    assert answer["input"][0]["parts"] == [{"type": "text", "text": "How are you?"}]
    for unknown in ("02" * 8, "zz"):
        problem = await asker.get(f"/traces/{'ab' * 16}/spans/{unknown}/messages", 404)
        assert problem["type"] == "/problems/span-not-found"


async def test_the_download_is_the_trace_as_it_was_recorded(asker: Asker) -> None:
    asker.add("store", [rich()])
    answer = await asker.client.get(f"{asker.root}/traces/{'ab' * 16}/otlp")
    assert answer.headers["content-disposition"] == f'attachment; filename="{"ab" * 16}.otlp.json"'
    (span,) = decode_json(answer.content)
    original = rich().spans[0]
    assert repr(span) == repr(original)


async def test_a_long_trace_leaves_in_pieces_and_is_the_same(asker: Asker) -> None:
    asker.add("store", [numbered(0, spans=2_300)])
    async with asker.client.stream("GET", f"{asker.root}/traces/{ID}") as answer:
        assert "content-length" not in answer.headers
        document: dict[str, Any] = json.loads(b"".join([piece async for piece in answer.aiter_bytes()]))
    TraceOut.model_validate(document)
    assert [span["name"] for span in document["spans"]][:3] == ["GET /", "step 1", "step 2"]
    assert len({span["span_id"] for span in document["spans"]}) == 2_300


async def test_a_range_may_help_to_find_a_trace_and_has_to_be_one(asker: Asker) -> None:
    asker.add("store", [numbered(0)])
    assert (await asker.get(f"/traces/{ID}", start="2026-08-01T11:00:00Z"))["span_count"] == 2
    reversed_range = {"start": "2026-08-01T12:00:00Z", "end": "2026-08-01T11:00:00Z"}
    assert (await asker.get(f"/traces/{ID}", 400, **reversed_range))["type"] == "/problems/reversed-time-range"
    assert (await asker.get(f"/traces/{ID}", 422, start="noon"))["type"] == "/problems/malformed-input"
