"""What a trace gives a scorer, whichever dialect it speaks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from arcane.datasets.fields import Judged, NoSuchSpan
from arcane.datasets.sources import ABSENT, Scope, read_source
from arcane.model.ids import SpanId, TraceId
from arcane.model.span import Resource, Span, SpanKind, StatusCode
from arcane.model.trace import Trace

_TRACE = TraceId("a" * 32)


def _span(number: int, name: str, parent: int = 0, **attributes: Any) -> Span:
    return Span(
        _TRACE,
        SpanId(f"{number:016x}"),
        f"{parent:016x}" if parent else "",
        name,
        SpanKind.INTERNAL,
        number * 1_000,
        number * 1_000 + 500,
        attributes={key.replace("__", "."): value for key, value in attributes.items()},
        resource=Resource({"service.name": "assistant"}),
    )


def _said(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def _agent() -> Trace:
    call = {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Bern"}}
    return Trace(
        _TRACE,
        [
            _span(1, "invoke_agent", http__route="/chat"),
            _span(
                2,
                "chat",
                1,
                gen_ai__operation__name="chat",
                gen_ai__input__messages=_said("user", "Rain in Bern?"),
                gen_ai__output__messages=json.dumps([{"role": "assistant", "parts": [call]}]),
            ),
            _span(3, "retrieve", 1, openinference__span__kind="RETRIEVER", **_documents("Bern is wet.", "So is Thun.")),
            _span(
                4,
                "chat",
                1,
                gen_ai__operation__name="chat",
                gen_ai__input__messages=json.dumps(
                    [
                        {"role": "user", "parts": [{"type": "text", "content": "Rain in Bern?"}]},
                        {"role": "assistant", "parts": [call]},
                        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "result": "rain"}]},
                    ]
                ),
                gen_ai__output__messages=_said("assistant", "Yes, take an umbrella."),
            ),
        ],
    )


def _documents(*texts: str) -> dict[str, str]:
    return {f"retrieval__documents__{n}__document__content": text for n, text in enumerate(texts)}


def _read(trace: Trace, text: str, span: str = "") -> Any:
    return Judged(trace, span).value(read_source(text, Scope.TRACES))


def test_a_whole_trace_says_what_was_asked_and_what_was_answered() -> None:
    assert _read(_agent(), "trace:input") == "Rain in Bern?"
    assert _read(_agent(), "trace:output") == "Yes, take an umbrella."


def test_the_conversation_is_that_of_the_longest_model_call() -> None:
    said = _read(_agent(), "trace:messages")
    assert [one["role"] for one in said] == ["user", "assistant", "tool", "assistant"]
    assert said[1]["tool_calls"] == [{"name": "weather", "arguments": {"city": "Bern"}}]
    assert said[2]["content"] == "rain"


def test_tools_are_named_once_however_often_they_are_repeated() -> None:
    assert _read(_agent(), "trace:tool_calls") == [{"name": "weather", "arguments": {"city": "Bern"}}]


def test_contexts_are_what_retrievers_found() -> None:
    assert _read(_agent(), "trace:contexts") == ["Bern is wet.", "So is Thun."]


def test_one_span_speaks_for_itself() -> None:
    second = f"{2:016x}"
    assert _read(_agent(), "trace:name", second) == "chat"
    assert _read(_agent(), "trace:contexts", second) is ABSENT
    assert _read(_agent(), "span:http.route", second) is ABSENT


def test_attributes_of_a_whole_trace_are_those_of_the_first_span_that_has_them() -> None:
    assert _read(_agent(), "span:http.route") == "/chat"
    assert _read(_agent(), "span:gen_ai.operation.name") == "chat"
    assert _read(_agent(), "resource:service.name") == "assistant"
    assert _read(_agent(), "span:nothing") is ABSENT


def test_a_trace_without_llm_says_nothing_of_it() -> None:
    plain = Trace(_TRACE, [_span(1, "GET /")])
    assert _read(plain, "trace:input") is ABSENT
    assert _read(plain, "trace:output") is ABSENT
    assert _read(plain, "trace:messages") is ABSENT
    assert _read(plain, "trace:tool_calls") == []
    assert _read(plain, "text:always") == "always"


def test_errors_are_the_status_of_the_first_span_that_failed() -> None:
    failed = Span(
        _TRACE, SpanId("b" * 16), "", "x", SpanKind.INTERNAL, 1, 2, StatusCode.ERROR, "it broke", resource=Resource()
    )
    assert _read(Trace(_TRACE, [failed]), "trace:error") == "it broke"
    assert _read(_agent(), "trace:error") == ""


def test_a_span_that_is_gone_is_no_span() -> None:
    with pytest.raises(NoSuchSpan):
        Judged(_agent(), "f" * 16)
