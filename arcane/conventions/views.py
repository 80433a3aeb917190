"""From a span to its LLM view and its messages."""

from __future__ import annotations

from arcane.conventions.dialect import Keys
from arcane.conventions.messages import Exchange
from arcane.conventions.plan import SESSION_KEYS, USER_KEYS, Plan, plan_of
from arcane.conventions.prices import Prices
from arcane.conventions.read import text, texts
from arcane.conventions.registry import REGISTRY
from arcane.conventions.tokens import reported_cost, tokens_of
from arcane.conventions.view import AGENT, PRICED, TOOL, Cost, Kind, LlmView, Tokens
from arcane.model.span import Span
from arcane.model.values import Attributes

_ENTITY = ("traceloop.entity.name",)


def view_of(span: Span, prices: Prices | None = None) -> LlmView | None:
    """Returns what a span says about an LLM application, None for a span that says nothing (in well under 1 µs).

    `prices` prices what reports no cost itself; without it only reported costs are there.
    """
    attributes = span.attributes
    plan = plan_of(attributes)
    if plan is None:
        return None
    kind = _kind_of(span, plan)
    aggregate = _is_aggregate(span, kind, plan)
    # Most fields are absent from most spans: a test is cheaper than a call that finds nothing.
    request_model = text(attributes, plan.request_model) if plan.request_model else None
    response_model = text(attributes, plan.response_model) if plan.response_model else None
    provider = text(attributes, plan.provider) if plan.provider else None
    tokens = None if plan.tokens is None else tokens_of(attributes, plan.tokens)
    cost = None
    if plan.cost or plan.cost_parts or plan.cost_objects:
        cost = reported_cost(attributes, plan.cost, plan.cost_parts, plan.cost_objects)
    if cost is None and prices is not None and tokens is not None and not aggregate:
        cost = _priced(prices, (response_model, request_model), provider, tokens, span.start)
    session = text(attributes, plan.session_id) if plan.session_id else None
    return LlmView(
        kind,
        plan.dialect,
        text(attributes, plan.operation) if plan.operation else None,
        request_model,
        response_model,
        provider,
        (text(attributes, plan.agent) if plan.agent else None) or _entity(attributes, kind, AGENT),
        (text(attributes, plan.tool) if plan.tool else None) or _entity(attributes, kind, TOOL),
        text(attributes, plan.tool_call_id) if plan.tool_call_id else None,
        (text(attributes, plan.conversation_id) if plan.conversation_id else None) or session,
        session,
        text(attributes, plan.user_id) if plan.user_id else None,
        tokens,
        cost,
        _first_token(span, plan) if plan.first_tokens else None,
        _finish_reasons(attributes, plan.finish_reasons) if plan.finish_reasons else (),
        aggregate,
    )


def messages_of(span: Span) -> Exchange:
    """Returns what went into a span and what came out: messages where there are any, else its other content."""
    for dialect in REGISTRY:
        if exchange := dialect.messages(span):
            return exchange
    for dialect in REGISTRY:
        if exchange := dialect.content(span):
            return exchange
    return Exchange()


def context_of(span: Span) -> tuple[str | None, str | None]:
    """Returns (user id, session id) of any span: gateways name them on spans that are no LLM spans."""
    return text(span.attributes, USER_KEYS), text(span.attributes, SESSION_KEYS)


def _kind_of(span: Span, plan: Plan) -> Kind:
    for kind_of in plan.kinds:
        if (kind := kind_of(span)) is not None:
            return kind
    for dialect in REGISTRY:
        if (kind := dialect.fallback_kind(span)) is not None:
            return kind
    return Kind.SPAN


def _priced(
    prices: Prices, models: tuple[str | None, ...], provider: str | None, tokens: Tokens, start: int
) -> Cost | None:
    if tokens.input == tokens.output == 0 and tokens.total > 0:
        return None  # only the sum is known
    for model in models:
        if model is not None and (usd := prices.price(model, provider, tokens, start)) is not None:
            return Cost(usd, PRICED)
    return None


def _entity(attributes: Attributes, kind: Kind, wanted: Kind) -> str | None:
    """Traceloop names agents and tools by their entity."""
    return text(attributes, _ENTITY) if kind is wanted and _ENTITY[0] in attributes else None


def _is_aggregate(span: Span, kind: Kind, plan: Plan) -> bool:
    for is_aggregate in plan.aggregates:  # noqa: SIM110 - a generator costs as much as what it asks
        if is_aggregate(span, kind):
            return True
    return False


def _first_token(span: Span, plan: Plan) -> int | None:
    for first_token in plan.first_tokens:
        if (nanos := first_token(span)) is not None:
            return nanos
    return None


def _finish_reasons(attributes: Attributes, keys: Keys) -> tuple[str, ...]:
    for key in keys:
        if reasons := texts(attributes[key]):
            return reasons
    return ()
