"""What is repeated is counted once."""

from arcane.conventions import ListPrices, LlmTotals, summarise, view_of
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Span, SpanKind
from arcane.model.trace import Trace
from arcane.model.values import Attributes

PRICES = ListPrices()
TRACE = TraceId("a" * 32)


def span(number: int, parent: int | None, attributes: Attributes) -> Span:
    above = "" if parent is None else f"{parent:016x}"
    return Span(TRACE, SpanId(f"{number:016x}"), above, "x", SpanKind.INTERNAL, number, number, attributes=attributes)


def totals(*spans: Span) -> LlmTotals:
    trace = Trace(TRACE, spans)
    return summarise(trace, {s.span_id: view for s in trace.spans if (view := view_of(s, PRICES)) is not None})


def llm(tokens: int | None, model: str = "gpt-4o") -> Attributes:
    attributes: Attributes = {"openinference.span.kind": "LLM", "llm.model_name": model}
    return attributes if tokens is None else attributes | {"llm.token_count.prompt": tokens}


def other(kind: str, tokens: int | None = None) -> Attributes:
    attributes: Attributes = {"openinference.span.kind": kind}
    return attributes if tokens is None else attributes | {"llm.token_count.prompt": tokens, "llm.model_name": "gpt-4o"}


def test_an_agent_that_repeats_its_calls_is_left_out() -> None:
    found = totals(span(1, None, other("AGENT", 30)), span(2, 1, llm(10)), span(3, 1, llm(20)))
    assert (found.tokens.input, found.model_calls) == (30, 2)
    assert found.cost_usd == found.cost_priced_usd == 30 * 2.5e-6


def test_an_agent_with_silent_calls_counts_itself() -> None:
    found = totals(span(1, None, other("AGENT", 30)), span(2, 1, llm(None)))
    assert (found.tokens.input, found.model_calls) == (30, 1)


def test_a_gateway_that_traces_the_call_again_is_left_out() -> None:
    found = totals(span(1, None, llm(10)), span(2, 1, {"http.method": "POST"}), span(3, 2, llm(10)))
    assert (found.tokens.input, found.model_calls) == (10, 1)


def test_a_call_whose_second_trace_is_silent_counts_itself() -> None:
    found = totals(span(1, None, llm(10)), span(2, 1, llm(None)))
    assert (found.tokens.input, found.model_calls) == (10, 1)


def test_a_call_that_runs_a_tool_that_calls_is_two_calls() -> None:
    found = totals(span(1, None, llm(10)), span(2, 1, other("TOOL")), span(3, 2, llm(5)))
    assert (found.tokens.input, found.model_calls, found.tool_calls) == (15, 2, 1)


def test_chains_over_chains_count_only_the_lowest_that_reports() -> None:
    found = totals(span(1, None, other("CHAIN", 9)), span(2, 1, other("CHAIN", 9)), span(3, 2, other("CHAIN")))
    assert found.tokens.input == 9


def test_spans_on_a_cycle_are_no_endless_walk() -> None:
    found = totals(span(1, 2, llm(1)), span(2, 1, llm(2)))
    assert found.model_calls == 0  # each is below the other: nobody can say which call is the real one


def test_a_model_without_a_price_is_counted_as_such() -> None:
    found = totals(span(1, None, llm(10, "my-own")), span(2, None, llm(10)))
    assert (found.unpriced_calls, found.cost_usd) == (1, 10 * 2.5e-6)


def test_reported_and_priced_costs_stand_apart() -> None:
    found = totals(span(1, None, llm(10) | {"llm.cost.total": 0.5}), span(2, None, llm(10)))
    assert (found.cost_reported_usd, found.cost_priced_usd) == (0.5, 10 * 2.5e-6)
    assert found.cost_usd == 0.5 + 10 * 2.5e-6


def test_names_come_once_in_order_and_the_gateway_names_the_user() -> None:
    found = totals(
        span(1, None, {"user.id": "ada", "session.id": "s-1"}),
        span(2, 1, llm(1) | {"agent.name": "b", "session.id": "s-2"}),
        span(3, 1, llm(1, "gpt-4o-mini") | {"agent.name": "a", "user.id": "ada"}),
        span(4, 1, llm(1) | {"agent.name": "b"}),
    )
    assert found.agents == ("b", "a")
    assert found.models == ("gpt-4o", "gpt-4o-mini")
    assert found.user_ids == ("ada",)
    assert found.conversation_ids == ("s-2", "s-1")


def test_a_view_of_a_span_that_is_not_in_the_trace_is_no_error() -> None:
    view = view_of(span(9, None, llm(3)))
    assert view is not None
    assert summarise(Trace(TRACE, []), {"0" * 16: view}).tokens.input == 3


def test_a_deep_chain_of_calls_is_linear() -> None:
    spans = [span(number, number - 1 if number > 1 else None, llm(1)) for number in range(1, 5_001)]
    assert totals(*spans).model_calls == 1
