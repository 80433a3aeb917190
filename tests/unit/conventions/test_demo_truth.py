"""The demo's truth, found again through the conventions: nothing counted twice, nothing lost."""

import gzip
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from arcane.conventions import Kind, ListPrices, LlmTotals, messages_of, summarise, view_of
from arcane.demo.generate import write_demo
from arcane.demo.truth import Tally, Truth
from arcane.model.span import Span, StatusCode
from arcane.model.trace import Trace
from arcane.spi.otlp import decode_json


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> tuple[Truth, dict[str, Trace]]:
    folder = tmp_path_factory.mktemp("demo")
    told = write_demo(folder)
    spans: dict[str, list[Span]] = defaultdict(list)
    for path in folder.glob("*/traces*"):
        for span in spans_in(path):
            spans[span.trace_id].append(span)
    return told, {trace_id: Trace(found[0].trace_id, found) for trace_id, found in spans.items()}


def spans_in(path: Path) -> list[Span]:
    body = path.read_bytes()
    lines = (gzip.decompress(body) if path.suffix == ".gz" else body).splitlines()
    return [span for line in lines for span in decode_json(line)]


@pytest.fixture(scope="module")
def totals(truth: tuple[Truth, dict[str, Trace]]) -> dict[str, LlmTotals]:
    prices = ListPrices()
    found = {}
    for trace_id, trace in truth[1].items():
        views = {span.span_id: view for span in trace.spans if (view := view_of(span, prices)) is not None}
        found[trace_id] = summarise(trace, views)
    return found


def test_tokens_of_every_trace_are_the_truth(
    truth: tuple[Truth, dict[str, Trace]], totals: dict[str, LlmTotals]
) -> None:
    for trace_id, tally in truth[0].traces.items():
        found = totals[trace_id].tokens
        told = tally.tokens
        assert (found.input, found.output, found.cached_input, found.cache_creation, found.reasoning) == (
            told.input,
            told.output,
            told.cached,
            told.cache_creation,
            told.reasoning,
        ), trace_id


def test_cost_of_every_trace_is_the_truth_and_says_where_it_comes_from(
    truth: tuple[Truth, dict[str, Trace]], totals: dict[str, LlmTotals]
) -> None:
    for trace_id, tally in truth[0].traces.items():
        found = totals[trace_id]
        assert found.cost_reported_usd == pytest.approx(float(tally.cost_reported), abs=1e-9)
        assert found.cost_priced_usd == pytest.approx(float(tally.cost_priced), abs=1e-9)
        assert found.cost_usd == pytest.approx(float(tally.cost), abs=1e-9)
        assert found.unpriced_calls == tally.unpriced_calls
    assert sum(Decimal(str(total.cost_usd)) for total in totals.values()) == pytest.approx(
        truth[0].total.cost, abs=Decimal("1e-6")
    )


def test_calls_of_every_trace_are_the_truth(
    truth: tuple[Truth, dict[str, Trace]], totals: dict[str, LlmTotals]
) -> None:
    told, traces = truth
    for trace_id, tally in told.traces.items():
        failed = sum(
            span.status is StatusCode.ERROR and (view := view_of(span)) is not None and view.is_model_call
            for span in traces[trace_id].spans
        )
        rerankers = sum(
            (view := view_of(span)) is not None and view.kind is Kind.RERANKER for span in traces[trace_id].spans
        )
        assert totals[trace_id].model_calls - failed - rerankers == tally.model_calls
        assert totals[trace_id].tool_calls == tally.tool_calls


def test_every_conversation_and_user_is_found(
    truth: tuple[Truth, dict[str, Trace]], totals: dict[str, LlmTotals]
) -> None:
    conversations: dict[str, int] = defaultdict(int)
    for total in totals.values():
        for conversation in total.conversation_ids:
            conversations[conversation] += 1
    assert conversations == {name: tally.traces for name, tally in truth[0].conversations.items()}
    assert {user for total in totals.values() for user in total.user_ids} == set(truth[0].users)


def test_every_agent_is_found_under_its_name(
    truth: tuple[Truth, dict[str, Trace]], totals: dict[str, LlmTotals]
) -> None:
    assert {agent for total in totals.values() for agent in total.agents} == set(truth[0].agents)


def test_every_model_call_that_answered_has_messages_in_and_out(truth: tuple[Truth, dict[str, Trace]]) -> None:
    seen = 0
    for trace in truth[1].values():
        for span in trace.spans:
            view = view_of(span)
            if view is None or view.kind is not Kind.LLM or span.status is StatusCode.ERROR:
                continue
            exchange = messages_of(span)
            assert exchange.input[0].role == "system", span
            assert exchange.output[0].role == "assistant", span
            assert exchange.output[0].parts, span
            seen += 1
    assert seen > 1_000


def test_tally_adds_up_over_dialects(truth: tuple[Truth, dict[str, Trace]]) -> None:
    def tokens(tallies: dict[str, Tally]) -> int:
        return sum(tally.tokens.input + tally.tokens.output for tally in tallies.values())

    total = truth[0].total.tokens
    assert tokens(truth[0].dialects) == tokens(truth[0].traces) == total.input + total.output
