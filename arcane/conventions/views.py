"""From a span to its LLM view and its messages."""

from __future__ import annotations

from arcane.conventions.dialect import Dialect, Keys
from arcane.conventions.messages import Exchange
from arcane.conventions.plan import KNOWN, SESSION_KEYS, USER_KEYS, Plan, plan_for
from arcane.conventions.prices import Prices
from arcane.conventions.read import text, texts
from arcane.conventions.registry import REGISTRY
from arcane.conventions.tokens import reported_cost, tokens_of
from arcane.conventions.view import Cost, CostSource, Kind, LlmView, Tokens
from arcane.model.span import Span
from arcane.model.values import Attributes

_ENTITY = ("traceloop.entity.name",)


def view_of(span: Span, prices: Prices | None = None) -> LlmView | None:
    """Returns what a span says about an LLM application, None for a span that says nothing (in well under 1 µs).

    `prices` prices what reports no cost itself; without it only reported costs are there.
    """
    attributes = span.attributes
    known = KNOWN.intersection(attributes)
    if not known or (plan := plan_for(known)) is None:
        return None
    kind = _kind_of(span, plan.dialects)
    aggregate = any(dialect.is_aggregate(span, kind) for dialect in plan.dialects)
    request_model, response_model = text(attributes, plan.request_model), text(attributes, plan.response_model)
    provider = text(attributes, plan.provider)
    tokens = None if plan.tokens is None else tokens_of(attributes, plan.tokens)
    cost = reported_cost(attributes, plan.cost, plan.cost_parts, plan.cost_objects)
    if cost is None and prices is not None and tokens is not None and not aggregate:
        cost = _priced(prices, (response_model, request_model), provider, tokens, span.start)
    session = text(attributes, plan.session_id)
    return LlmView(
        kind=kind,
        dialect=plan.dialects[0].name,
        operation=text(attributes, plan.operation),
        request_model=request_model,
        response_model=response_model,
        provider=provider,
        agent=text(attributes, plan.agent) or _entity(attributes, kind, Kind.AGENT),
        tool=text(attributes, plan.tool) or _entity(attributes, kind, Kind.TOOL),
        tool_call_id=text(attributes, plan.tool_call_id),
        conversation_id=text(attributes, plan.conversation_id) or session,
        session_id=session,
        user_id=text(attributes, plan.user_id),
        tokens=tokens,
        cost=cost,
        time_to_first_token=_first_token(span, plan),
        finish_reasons=_finish_reasons(attributes, plan.finish_reasons),
        aggregate=aggregate,
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


def _kind_of(span: Span, spoken: tuple[Dialect, ...]) -> Kind:
    for dialect in spoken:
        if (kind := dialect.kind(span)) is not None:
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
            return Cost(usd, CostSource.PRICED)
    return None


def _entity(attributes: Attributes, kind: Kind, wanted: Kind) -> str | None:
    """Traceloop names agents and tools by their entity."""
    return text(attributes, _ENTITY) if kind is wanted else None


def _first_token(span: Span, plan: Plan) -> int | None:
    for dialect in plan.dialects:
        if (nanos := dialect.first_token(span)) is not None:
            return nanos
    return None


def _finish_reasons(attributes: Attributes, keys: Keys) -> tuple[str, ...]:
    for key in keys:
        if reasons := texts(attributes[key]):
            return reasons
    return ()
