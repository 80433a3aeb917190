"""What a trace gives a scorer: inputs, answers, conversations, tool calls, retrieved texts. Pure.

Everything is read of the LLM view that all dialects share. A span that is judged speaks for itself and, where it says
nothing, for what happened below it: an agent's root rarely carries the messages that its model calls do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from arcane.conventions import (
    Document,
    Exchange,
    Kind,
    LlmView,
    Message,
    Role,
    Text,
    ToolCall,
    ToolResult,
    messages_of,
    view_of,
)
from arcane.datasets.sources import ABSENT, Place, Source
from arcane.model.span import Span, StatusCode
from arcane.model.trace import Trace


class NoSuchSpan(LookupError):
    """The trace has no such span (any more)."""


class Judged:
    """A trace, or one span of it, as scorers read it."""

    def __init__(self, trace: Trace, span_id: str) -> None:
        """Raises NoSuchSpan."""
        span = trace.by_id.get(span_id) if span_id else trace.root or next(iter(trace.spans), None)
        if span is None:
            raise NoSuchSpan("the trace has no such span")
        self._trace, self._span = trace, span
        self._whole = not span_id

    def value(self, source: Source) -> Any:
        """Returns what `source` gives, ABSENT where the trace does not say."""
        match source.place:
            case Place.TEXT:
                return source.name
            case Place.SPAN:
                found = self._attribute(lambda span: span.attributes, source.name)
            case Place.RESOURCE:
                found = self._attribute(lambda span: span.resource.attributes, source.name)
            case _:
                found = _READ[source.name](self)
        return ABSENT if found is ABSENT else source.pick(found)

    def _attribute(self, of: Callable[[Span], Mapping[str, Any]], name: str) -> Any:
        for span in self._spans:
            found = of(span).get(name, ABSENT)
            if found is not ABSENT:
                return found.decode(errors="replace") if isinstance(found, bytes) else found
            if not self._whole:
                break
        return ABSENT

    @cached_property
    def _spans(self) -> tuple[Span, ...]:
        """The span and all below it in order of start; of a whole trace, all."""
        if self._whole:
            return (self._span, *(span for span in self._trace.spans if span is not self._span))
        return tuple(sorted(self._below(self._span), key=lambda span: (span is not self._span, span.start)))

    def _below(self, top: Span) -> Iterator[Span]:
        waiting = [top]
        while waiting:
            span = waiting.pop()
            yield span
            waiting += self._trace.children.get(span.span_id, ())

    @cached_property
    def _exchanges(self) -> tuple[tuple[LlmView, Exchange], ...]:
        found = ((view_of(span, None), messages_of(span)) for span in self._spans)
        return tuple((view, exchange) for view, exchange in found if view is not None and exchange)

    def input(self) -> Any:
        """The last thing that the user said before the first answer."""
        for _, exchange in self._exchanges:
            said = [text_of(one) for one in exchange.input if one.role is Role.USER]
            if said and said[-1]:
                return said[-1]
        return ABSENT

    def output(self) -> Any:
        """The answer: of the span itself where it has one, else the last one given below it."""
        answers = [(view, text_of(exchange.output[-1])) for view, exchange in self._exchanges if exchange.output]
        own = messages_of(self._span)
        if own.output and (text := text_of(own.output[-1])):
            return text
        said = [text for view, text in answers if text and view.kind is not Kind.TOOL]
        return said[-1] if said else ABSENT

    def messages(self) -> Any:
        """The conversation of the last model call, its answer included."""
        calls = [exchange for view, exchange in self._exchanges if view.kind is not Kind.TOOL]
        last = max(calls, key=lambda one: len(one.input) + len(one.output), default=None)
        return ABSENT if last is None else [written(one) for one in (*last.input, *last.output)]

    def tool_calls(self) -> Any:
        """Every tool that was asked for, once, in order."""
        found: dict[str, dict[str, Any]] = {}
        for view, exchange in self._exchanges:
            said = exchange.input if view.kind is Kind.TOOL else exchange.output
            for part in (part for message in said for part in message.parts if isinstance(part, ToolCall)):
                key = part.id or json.dumps([part.name, part.arguments], default=str, sort_keys=True)
                found.setdefault(key, {"name": part.name, "arguments": part.arguments})
        return list(found.values())

    def contexts(self) -> Any:
        """What retrievers found, in order."""
        found = [
            text
            for view, exchange in self._exchanges
            if view.kind is Kind.RETRIEVER
            for message in exchange.output
            for text in _texts(message)
        ]
        return found or ABSENT

    def name(self) -> Any:
        """The name of the span."""
        return self._span.name

    def error(self) -> Any:
        """The status message of the first span that failed, "" where none did."""
        failed = [span for span in self._spans if span.status is StatusCode.ERROR]
        return failed[0].status_message if failed else ""


_READ: Mapping[str, Callable[[Judged], Any]] = {
    "input": Judged.input,
    "output": Judged.output,
    "messages": Judged.messages,
    "tool_calls": Judged.tool_calls,
    "contexts": Judged.contexts,
    "name": Judged.name,
    "error": Judged.error,
}


def text_of(message: Message) -> str:
    """Returns what the message says in words."""
    return "\n".join(_texts(message))


def written(message: Message) -> dict[str, Any]:
    """Returns the message as scorers read it."""
    calls = [
        {"name": part.name, "arguments": part.arguments if part.arguments is not None else {}}
        for part in message.parts
        if isinstance(part, ToolCall)
    ]
    said = {"role": message.role.value, "content": text_of(message)}
    return {**said, "tool_calls": calls} if calls else said


def _texts(message: Message) -> list[str]:
    found: list[str] = []
    for part in message.parts:
        match part:
            case Text(text):
                found.append(text)
            case Document(content):
                found.append(content)
            case ToolResult(result):
                found.append(result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str))
            case _:
                pass
    return found
