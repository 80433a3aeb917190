"""42 attribute vectors with another product's result: ours agrees, or differs for a reason that stands here."""

import json
from pathlib import Path
from typing import Any

import pytest

from arcane.conventions import ListPrices, LlmView, messages_of, view_of
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import InstrumentationScope, Span, SpanKind

VECTORS = json.loads((Path(__file__).parents[2] / "data/conventions/enrichment.json").read_text("utf-8"))
PRICES = ListPrices()
START = 1_795_262_400_000_000_000

KEPT = "an aggregate's tokens are shown, flagged as repeated, and never priced; there they are dropped"
DIFFERENT = {
    "anthropic NET emitter: input 2, cache_read 5000, cache_write 300": (
        "counts that exclude the cached tokens: the 2 fresh ones are kept, there they are lost"
    ),
    "vercel raw totals on AGENT wrapper are ignored": KEPT,
    "invoke_agent aggregate not priced": KEPT,
    "agent_step aggregate not priced": KEPT,
    "scope gen_ai + non LLM is aggregate": KEPT,
    "tokens without model are dropped": "tokens are known, only their price is not",
    "bedrock model id match": "a regional Bedrock id has Bedrock's regional price, 10 % above the vendor's",
    "kind: CHAIN -> SPAN": "chain is a kind of its own",
    "kind: RETRIEVER falls through to SPAN": "retriever is a kind of its own",
    "kind: EMBEDDING with model -> LLM by model fallback": "embedding is a kind of its own; no count is no count",
    "kind: embeddings op -> LLM": "embedding is a kind of its own",
    "user/session: session.user_id lowest": "a span with nothing but a user and a session is no LLM span",
    "user numeric coerced": "a span with nothing but a user and a session is no LLM span",
    "gen_ai.response.model is NOT read by TraceRoot": "the response's model is read and priced",
}


def span_of(vector: dict[str, Any]) -> Span:
    context = vector.get("ctx", {})
    return Span(
        TraceId("a" * 32),
        SpanId("b" * 16),
        "",
        context.get("name", "span"),
        SpanKind.INTERNAL,
        START,
        START + 1,
        attributes=vector["attributes"],
        scope=InstrumentationScope(context.get("scope", "")),
    )


def told(expected: dict[str, Any]) -> dict[str, Any]:
    usage = expected.get("usage_details") or {}
    return {
        "kind": expected["span_kind"].lower(),
        "model": expected.get("model_name"),
        "input": expected.get("input_tokens"),
        "output": expected.get("output_tokens"),
        "total": expected.get("total_tokens"),
        "cached": usage.get("cache_read_tokens", 0),
        "created": usage.get("cache_write_tokens", 0),
        "created_1h": usage.get("cache_write_1h_tokens", 0),
        "reasoning": usage.get("reasoning_tokens", 0),
        "cost": None if expected.get("cost") is None else pytest.approx(expected["cost"], abs=1e-12),
        "user": expected["user_id"],
        "session": expected["session_id"],
    }


def found(view: LlmView | None) -> dict[str, Any]:
    tokens = None if view is None else view.tokens
    return {
        "kind": "span" if view is None else view.kind.value,
        "model": None if view is None else view.request_model,
        "input": None if tokens is None else tokens.input,
        "output": None if tokens is None else tokens.output,
        "total": None if tokens is None else tokens.total,
        "cached": 0 if tokens is None else tokens.cached_input,
        "created": 0 if tokens is None else tokens.cache_creation,
        "created_1h": 0 if tokens is None else tokens.cache_creation_1h,
        "reasoning": 0 if tokens is None else tokens.reasoning,
        "cost": None if view is None or view.cost is None else view.cost.usd,
        "user": None if view is None else view.user_id,
        "session": None if view is None else view.session_id,
    }


def test_all_vectors_are_here() -> None:
    assert len(VECTORS) == 42
    assert DIFFERENT.keys() <= {vector["title"] for vector in VECTORS}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["title"])
def test_vector(vector: dict[str, Any]) -> None:
    ours = found(view_of(span_of(vector), PRICES))
    if vector["title"] in DIFFERENT:
        assert ours != told(vector["traceroot_expected"]), "no longer different: take it off the list"
    else:
        assert ours == told(vector["traceroot_expected"])


@pytest.mark.parametrize("title", [title for title, reason in DIFFERENT.items() if reason == KEPT])
def test_an_aggregate_is_flagged_and_not_priced(title: str) -> None:
    (vector,) = (vector for vector in VECTORS if vector["title"] == title)
    view = view_of(span_of(vector), PRICES)
    assert view is not None
    assert view.aggregate
    assert view.cost is None
    assert view.tokens is not None


def test_structured_messages_are_preferred_to_raw_values() -> None:
    (vector,) = (vector for vector in VECTORS if vector["title"] == "io precedence")
    exchange = messages_of(span_of(vector))
    assert [message.parts[0].text for message in (*exchange.input, *exchange.output)] == ["gm", "gm2"]  # type: ignore[union-attr]
