"""A plan in words: what each datasource is asked, what is evaluated here, and why."""

from __future__ import annotations

from dataclasses import dataclass

from arcane.federation.plan import Kept, Reason, SourcePlan
from arcane.model.notice import Notice
from arcane.spi.capabilities import Capabilities, Order
from arcane.traceql.ast import Binary, Field, Literal, Unary
from arcane.traceql.format import format_expr, format_stage

_WHY = {
    Reason.UNSUPPORTED: Notice("the datasource cannot answer it"),
    Reason.SUPERSET: Notice("the datasource answers it with more than what matches"),
    Reason.ALTERNATIVE: Notice("the datasource cannot answer all of its alternatives, so it is asked for none of them"),
    Reason.NEGATION: Notice("the datasource does not mean the same by a negation"),
    Reason.SAME_ROW: Notice("it has to hold on the same event or link as another condition, which is checked here"),
    Reason.WHOLE_TRACE: Notice("it is about the whole trace, of which each datasource may hold a part"),
    Reason.STRUCTURE: Notice("it is about how spans of a trace stand to each other"),
    Reason.PIPELINE: Notice("it counts, groups or measures spans of a trace together"),
    Reason.ORDER: Notice("of two attributes with one name, the one that stands first in the query is shown"),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One part of a query that is evaluated here."""

    condition: str
    reason: Reason
    why: str
    sent: str | None


def conditions_of(plan: SourcePlan) -> tuple[Explanation, ...]:
    """Returns why each part of the residual is evaluated here."""
    return tuple(_explained(kept) for kept in plan.kept)


def steps_of(plan: SourcePlan, capabilities: Capabilities) -> tuple[str, ...]:
    """Returns what happens, a sentence a step."""
    if plan.residual_text is None:
        return (_first_step(plan, capabilities), Notice("Take the answer as it is."))
    keep = Notice("Keep those that match %(query)s, until the page is full.", query=plan.residual_text)
    return (*reading_of(plan, capabilities, together=plan.whole_traces), keep)


def reading_of(plan: SourcePlan, capabilities: Capabilities, *, together: bool) -> tuple[str, ...]:
    """Returns how traces come here whole; with `together` each is put together from all datasources."""
    steps = [_first_step(plan, capabilities)]
    if together:
        steps.append(Notice("Put each trace together from all datasources."))
    elif not capabilities.whole_traces:
        steps.append(Notice("Read each of these traces whole."))
    return tuple(steps)


def _first_step(plan: SourcePlan, capabilities: Capabilities) -> Notice:
    if plan.pushed_text:
        asked = Notice("the traces that match %(query)s", query=plan.pushed_text)
    else:
        asked = Notice("all traces of the time range")
    if capabilities.order is Order.NEWEST_FIRST:
        return Notice("Ask for %(traces)s, newest first, page by page.", traces=asked)
    return Notice(
        "Ask for %(traces)s in windows of time that go backwards, "
        "because the datasource does not return the newest first.",
        traces=asked,
    )


def _explained(kept: Kept) -> Explanation:
    sent = None if kept.sent is None else format_expr(kept.sent)
    part = kept.condition
    text = format_expr(part) if isinstance(part, Field | Literal | Unary | Binary) else format_stage(part)
    return Explanation(text, kept.reason, _WHY[kept.reason], sent)
