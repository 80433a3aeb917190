"""Every dialect's corpus: a span as a library writes it, the view and the messages we make of it.

A file is one case: `span` (name, scope, attributes, events with `at` in nanoseconds after the start),
`view` and `messages`. A new dialect brings a folder of its own name.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from arcane.conventions import REGISTRY, ListPrices, messages_of, view_of
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import InstrumentationScope, Span, SpanEvent, SpanKind

CORPUS = Path(__file__).parents[2] / "support/corpus/conventions"
FILES = sorted(CORPUS.glob("*/*.json"))
PRICES = ListPrices()
START = 1_795_262_400_000_000_000  # 2026-11-21T12:00:00Z


def read(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return case


def span_of(case: dict[str, Any]) -> Span:
    written = case["span"]
    return Span(
        TraceId("a" * 32),
        SpanId("b" * 16),
        "",
        written["name"],
        SpanKind.INTERNAL,
        START,
        START + 1_000_000_000,
        attributes=written["attributes"],
        scope=InstrumentationScope(written.get("scope", "")),
        events=tuple(
            SpanEvent(event["name"], START + event["at"], event["attributes"]) for event in written.get("events", ())
        ),
    )


def test_every_dialect_has_a_corpus() -> None:
    assert {dialect.name for dialect in REGISTRY} == {path.parent.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_view(path: Path) -> None:
    case = read(path)
    view = json.loads(msgspec.json.encode(view_of(span_of(case), PRICES)))
    expected = case["view"]
    assert view.pop("cost", {}) == pytest.approx(expected.pop("cost", {}), abs=1e-12)
    assert view == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_messages(path: Path) -> None:
    case = read(path)
    assert json.loads(msgspec.json.encode(messages_of(span_of(case)))) == case["messages"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_view_and_messages_survive_json(path: Path) -> None:
    span = span_of(read(path))
    for value in (view_of(span, PRICES), messages_of(span)):
        encoded = msgspec.json.encode(value)
        assert msgspec.json.decode(encoded, type=type(value)) == value
