"""Sums over a trace that count every token once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from arcane.conventions.view import AGENT, REPORTED, TOOL, LlmView, Tokens
from arcane.conventions.views import context_of
from arcane.model.trace import Trace

_REPORTED_BELOW = 1
_CALL_BELOW = 2  # a model call below with neither an agent nor a tool in between: the same request once more
_CALL_REPORTED_BELOW = 4  # such a call that says what it used
_BORDERS = frozenset({AGENT, TOOL})


class LlmTotals(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a trace says about its LLM work. Lists are in order of first appearance.

    `cost_usd` is the sum of `cost_reported_usd` and `cost_priced_usd`; `unpriced_calls` counts the
    calls with tokens and without a cost, so the sum is the whole cost only when it is 0.
    """

    model_calls: int = 0
    tool_calls: int = 0
    tokens: Tokens = Tokens(0, 0, 0)
    cost_usd: float = 0.0
    cost_reported_usd: float = 0.0
    cost_priced_usd: float = 0.0
    unpriced_calls: int = 0
    models: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    conversation_ids: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()


def summarise(trace: Trace, views: Mapping[str, LlmView]) -> LlmTotals:
    """Returns the sums over `views` (span id -> view, in order of the trace).

    Agents, chains and workflows often repeat the usage of the calls below them, and so do gateways
    that trace a call a second time: what is repeated below is left out.
    """
    below = _what_is_below(trace, views)
    model_calls = tool_calls = unpriced = 0
    models: dict[str | None, None] = {}
    agents: dict[str | None, None] = {}
    tools: dict[str | None, None] = {}
    conversations: dict[str | None, None] = {}
    users: dict[str | None, None] = {}
    counted: list[Tokens] = []
    reported = priced = 0.0
    for span_id, view in views.items():
        flags = below.get(span_id, 0)
        model_calls += view.is_model_call and not flags & _CALL_BELOW
        tool_calls += view.kind is TOOL
        models[view.response_model or view.request_model] = None
        agents[view.agent] = None
        tools[view.tool] = None
        conversations[view.conversation_id] = None
        users[view.user_id] = None
        if not _counts(view, flags):
            continue
        cost = view.cost
        if view.tokens is not None:
            counted.append(view.tokens)
            unpriced += cost is None
        if cost is not None and cost.source is REPORTED:
            reported += cost.usd
        elif cost is not None:
            priced += cost.usd
    named, sessions = _context(trace, views)
    return LlmTotals(
        model_calls=model_calls,
        tool_calls=tool_calls,
        tokens=_add(counted),
        cost_usd=reported + priced,
        cost_reported_usd=reported,
        cost_priced_usd=priced,
        unpriced_calls=unpriced,
        models=_each(models),
        agents=_each(agents),
        tools=_each(tools),
        conversation_ids=_each((*conversations, *sessions)),
        user_ids=_each((*named, *users)),
    )


def _what_is_below(trace: Trace, views: Mapping[str, LlmView]) -> dict[str, int]:
    """Returns span id -> flags. Every walk up ends where an earlier one has said the same: linear in all."""
    spans = trace.by_id
    below: dict[str, int] = {}
    for span_id, view in views.items():
        if view.tokens is None and view.cost is None and not view.is_model_call:
            continue
        flags = 0 if view.tokens is None and view.cost is None else _REPORTED_BELOW
        if view.is_model_call:
            flags |= _CALL_BELOW | (_CALL_REPORTED_BELOW if flags else 0)
        child = spans.get(span_id)
        parent = spans.get(child.parent_span_id) if child is not None else None
        while parent is not None and flags:
            known = below.get(parent.span_id, 0)
            if known | flags == known:
                break
            below[parent.span_id] = known | flags
            above = views.get(parent.span_id)
            if above is not None and above.kind in _BORDERS:
                flags &= _REPORTED_BELOW
            parent = spans.get(parent.parent_span_id)
    return below


def _counts(view: LlmView, below: int) -> bool:
    """True when what the view reports is reported nowhere below."""
    if view.tokens is None and view.cost is None:
        return False
    if view.is_model_call:
        return not below & _CALL_REPORTED_BELOW
    return not below & _REPORTED_BELOW


def _add(counts: Iterable[Tokens]) -> Tokens:
    given = made = total = cached = created = hour = reasoning = 0
    for tokens in counts:
        given += tokens.input
        made += tokens.output
        total += tokens.total
        cached += tokens.cached_input
        created += tokens.cache_creation
        hour += tokens.cache_creation_1h
        reasoning += tokens.reasoning
    return Tokens(given, made, total, cached, created, hour, reasoning)


def _context(trace: Trace, views: Mapping[str, LlmView]) -> tuple[list[str | None], list[str | None]]:
    users: list[str | None] = []
    sessions: list[str | None] = []
    for span in trace.spans:
        attributes = span.attributes
        if span.span_id not in views and ("user.id" in attributes or "session.id" in attributes):
            user, session = context_of(span)
            users.append(user)
            sessions.append(session)
    return users, sessions


def _each(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
