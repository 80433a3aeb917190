"""Traces in which every text that a person could have written carries a mark that is nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from arcane.model.ids import SpanId, TraceId
from arcane.model.span import InstrumentationScope, Resource, Span, SpanEvent, SpanKind, SpanLink, StatusCode
from arcane.model.trace import Trace
from arcane.model.values import Attributes

MARK = "zq7canary"
DIALECTS = Path(__file__).parent / "corpus" / "conventions"
NOON = 1_795_262_400_000_000_000
SECRET = "zq7hidden"
AROUND = {"start": "2026-11-21T11:00:00Z", "end": "2026-11-21T13:00:00Z"}
ROOT = SpanId("ca" * 8)
_ID = TraceId("c0ffee" + "0" * 25 + "1")


def marked(place: str) -> str:
    """Returns the mark of a place."""
    return f"{MARK}-{place}"


def marked_traces() -> list[Trace]:
    """Returns a trace with a mark in every place, and one for each span of the dialects' corpus."""
    return [Trace(_ID, [_everywhere(), _failed()]), *_dialects()]


def trace_of(number: int, **attributes: Any) -> Trace:
    """Returns a trace of one span with an attribute `secret` at every scope, a second after the one before."""
    trace_id = TraceId(f"5ec{number:029x}")
    began = NOON + number * 1_000_000_000
    span = Span(
        trace_id,
        SpanId(f"{number:016x}"),
        "",
        "work",
        SpanKind.INTERNAL,
        began,
        began + 1_000_000,
        attributes={"number": number, "secret": f"{SECRET}-{number}", **attributes},
        events=(SpanEvent("said", began + 10, {"secret": f"{SECRET}-event-{number}"}),),
        resource=Resource({"service.name": "shop", "secret": f"{SECRET}-resource"}),
    )
    return Trace(trace_id, [span])


def _attributes(place: str) -> Attributes:
    return {
        marked(f"{place}-key"): marked(f"{place}-value"),
        f"{place}.list": [marked(f"{place}-item"), marked(f"{place}-other")],
        f"{place}.nested": {marked(f"{place}-inner-key"): marked(f"{place}-inner-value")},
        f"{place}.bytes": marked(f"{place}-bytes").encode(),
        f"{place}.json": json.dumps({"text": marked(f"{place}-json")}),
    }


def _everywhere() -> Span:
    return Span(
        _ID,
        ROOT,
        "",
        marked("root-name"),
        SpanKind.SERVER,
        NOON,
        NOON + 5_000_000,
        StatusCode.ERROR,
        marked("status-message"),
        _attributes("span"),
        (SpanEvent(marked("event-name"), NOON + 1_000, _attributes("event")),),
        (SpanLink(TraceId("d" * 32), SpanId("d" * 16), marked("link-state"), _attributes("link")),),
        Resource({"service.name": marked("service"), **_attributes("resource")}),
        InstrumentationScope(marked("scope-name"), marked("scope-version"), _attributes("scope")),
        marked("trace-state"),
    )


def _failed() -> Span:
    exception: Attributes = {"exception.message": marked("exception"), "exception.stacktrace": marked("stack")}
    return Span(
        _ID,
        SpanId("cb" * 8),
        ROOT,
        marked("child-name"),
        SpanKind.CLIENT,
        NOON + 2_000,
        NOON + 3_000,
        StatusCode.ERROR,
        marked("child-status"),
        events=(SpanEvent("exception", NOON + 2_500, exception),),
        resource=Resource({"service.name": marked("other-service")}),
    )


def _dialects() -> Iterator[Trace]:
    for number, path in enumerate(sorted(DIALECTS.glob("*/*.json")), start=2):
        written = json.loads(path.read_text())["span"]
        trace_id = TraceId(f"c0ffee{number:026x}")
        yield Trace(
            trace_id,
            [
                Span(
                    trace_id,
                    SpanId(f"{number:016x}"),
                    "",
                    written["name"],
                    SpanKind.INTERNAL,
                    NOON + number * 1_000_000,
                    NOON + number * 1_000_000 + 500_000,
                    attributes={name: _prose_marked(value) for name, value in written["attributes"].items()},
                    events=tuple(_event(one, number) for one in written.get("events", ())),
                    resource=Resource({"service.name": marked("agent")}),
                    scope=InstrumentationScope(written.get("scope", "")),
                )
            ],
        )


def _event(written: dict[str, Any], number: int) -> SpanEvent:
    attributes = {name: _prose_marked(value) for name, value in written.get("attributes", {}).items()}
    return SpanEvent(written["name"], NOON + number * 1_000_000 + 1_000, attributes)


def _prose_marked(value: Any) -> Any:
    """Marks what reads like prose, also inside JSON; words that a dialect is recognised by stay as they are."""
    if isinstance(value, dict):
        return {name: _prose_marked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_prose_marked(inner) for inner in value]
    if not isinstance(value, str):
        return value
    if value[:1] in ("{", "["):
        try:
            return json.dumps(_prose_marked(json.loads(value)))
        except ValueError:
            return f"{value} {MARK}"
    return f"{value} {MARK}" if " " in value or value[-1:] in "?!." else value
