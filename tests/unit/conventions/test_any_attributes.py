"""Attributes come from anybody: reading them never raises, whatever they hold."""

import math

from hypothesis import example, given
from hypothesis import strategies as st

from arcane.conventions import REGISTRY, ListPrices, messages_of, summarise, view_of
from arcane.conventions.indexed import unflatten
from arcane.conventions.plan import KNOWN
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Span, SpanEvent, SpanKind
from arcane.model.trace import Trace
from arcane.model.values import AttributeValue

PRICES = ListPrices()
WORDS = st.sampled_from(
    [
        "", '"', '""', "{}", "[]", "[[]]", "null", "true", "1e400", "-1", "NaN", "9" * 30, "²", "LLM", "chat", "agent",
        '{"role": 1}', '[{"role": "tool", "content": [1, null, {"type": "image", "source": {"data": 1}}]}]', "[" * 3000,
        '{"messages": [[{"type": "human", "data": {"content": "x"}}]]}', "gpt-4o", "claude-sonnet-4-5", "a/b", "x:0",
        '[{"tool_calls": [1, {"function": "f"}, {"id": 1, "function": {"name": null}}]}]', "2026-11-21T12:00:00",
        '{"message": {"content": {"type": "tool_result", "content": {"type": 1, "value": 2}}}}', "0001-01-01T00:00:00Z",
    ]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=12),
    st.binary(max_size=8),
    WORDS,
)
VALUES: st.SearchStrategy[AttributeValue] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | WORDS, inner, max_size=3),
    max_leaves=6,
)
INDEXED = st.builds(
    lambda prefix, index, rest: f"{prefix}{index}{rest}",
    st.sampled_from(
        ["llm.input_messages.", "llm.output_messages.", "gen_ai.prompt.", "gen_ai.completion.", "llm.prompts.",
         "retrieval.documents.", "embedding.embeddings."]
    ),
    st.sampled_from(["0", "1", "-1", "x", "", "00", "999999999999", "²"]),
    st.sampled_from(["", ".message", ".message.role", ".message.content", ".role", ".content", ".tool_calls.0.name",
                     ".document.content", ".embedding.text", ".message.tool_calls.0.tool_call.function.name", "...."]),
)  # fmt: skip
CONTENT_KEYS = st.sampled_from(
    ["ai.prompt", "ai.response.toolCalls", "events", "pydantic_ai.all_messages", "gen_ai.system_instructions",
     "gen_ai.input.messages", "gen_ai.output.messages", "traceloop.entity.input", "traceloop.entity.output",
     "mlflow.spanInputs", "mlflow.spanOutputs", "tool_arguments", "request_data", "response_data", "operation.name",
     "langfuse.observation.completion_start_time", "gen_ai.response.time_to_first_chunk", "ai.settings.maxSteps"]
)  # fmt: skip
KEYS = st.sampled_from(sorted(KNOWN)) | INDEXED | CONTENT_KEYS | st.text(max_size=8)
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=12)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            ["gen_ai.user.message", "gen_ai.choice", "gen_ai.content.prompt", "gen_ai.content.completion",
             "gen_ai.client.inference.operation.details", "First Token Stream Event", "other"]
        ),
        st.integers(0, 2**63),
        ATTRIBUTES,
    ).map(lambda written: SpanEvent(*written)),
    max_size=2,
).map(tuple)  # fmt: skip


def span_with(attributes: dict[str, AttributeValue], events: tuple[SpanEvent, ...] = (), start: int = 1) -> Span:
    return Span(
        TraceId("a" * 32), SpanId("b" * 16), "", "x", SpanKind.INTERNAL, start, start + 1,
        attributes=attributes, events=events,
    )  # fmt: skip


@example({"gen_ai.operation.name": []}, (), 0)
@given(ATTRIBUTES, EVENTS, st.sampled_from([0, 1, 1_795_262_400_000_000_000, 2**63, 2**64]))
def test_a_view_never_raises(attributes: dict[str, AttributeValue], events: tuple[SpanEvent, ...], start: int) -> None:
    span = span_with(attributes, events, start)
    view = view_of(span, PRICES)
    if view is None:
        return
    for number in (view.tokens and view.tokens.input, view.tokens and view.tokens.output, view.time_to_first_token):
        assert number is None or number >= 0
    assert view.cost is None or (view.cost.usd >= 0 and math.isfinite(view.cost.usd))
    summarise(Trace(span.trace_id, [span]), {span.span_id: view})


@given(ATTRIBUTES, EVENTS)
def test_messages_never_raise(attributes: dict[str, AttributeValue], events: tuple[SpanEvent, ...]) -> None:
    exchange = messages_of(span_with(attributes, events))
    for message in (*exchange.input, *exchange.output):
        assert message.role in {"system", "user", "assistant", "tool"}


@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii", exclude_characters=list("\0")), max_size=4), VALUES, max_size=6
    )
)
def test_unflattening_returns_a_list_whatever_the_keys(attributes: dict[str, AttributeValue]) -> None:
    assert isinstance(unflatten({f"p.{key}": value for key, value in attributes.items()}, "p."), list)


@given(st.dictionaries(st.text(max_size=8).filter(lambda key: key not in KNOWN), VALUES, max_size=6))
def test_a_span_without_known_keys_has_no_view(attributes: dict[str, AttributeValue]) -> None:
    assert view_of(span_with(attributes), PRICES) is None


def test_every_marker_alone_makes_a_view() -> None:
    for dialect in REGISTRY:
        for marker in dialect.markers:
            assert view_of(span_with({marker: "x"})) is not None
