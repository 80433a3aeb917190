"""One trace from all datasources: spans joined by id, and where each came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from arcane.federation.asking import Asking
from arcane.federation.replies import Reply, ask_each
from arcane.federation.skew import skew_of
from arcane.model.ids import TraceId
from arcane.model.notice import Notice
from arcane.model.outcome import QueryOutcome, SourceOutcome
from arcane.model.span import Span
from arcane.model.time import TimeRange
from arcane.model.trace import Trace


@dataclass(frozen=True, slots=True)
class Assembled:
    """A trace as far as the datasources know it, None where no datasource that answered has it.

    `owners` are the indexes (into the outcome's sources) of those that have spans of it. `warnings` say
    what is missing or odd; the trace itself may be an adapter's own and is never changed.
    """

    trace: Trace | None
    outcome: QueryOutcome
    owners: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    shared: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def origins_of(self, span: Span) -> tuple[int, ...]:
        """Returns the indexes of the datasources that have this span."""
        return self.shared[span.span_id] if self.shared else self.owners


async def assemble(askings: Sequence[Asking], trace_id: TraceId, within: TimeRange | None) -> Assembled:
    """Returns what the datasources, asked all at once, have of the trace; nothing is raised for one that fails."""
    replies = await ask_each(askings, lambda asking: asking.get_trace(trace_id, within))
    outcome = QueryOutcome(tuple(_outcome(reply) for reply in replies))
    parts = [(index, reply.value) for index, reply in enumerate(replies) if reply.value and reply.value.spans]
    if not parts:
        return Assembled(None, outcome)
    owners = tuple(index for index, _ in parts)
    warnings = tuple(dict.fromkeys(warning for _, part in parts for warning in part.warnings))
    if len(parts) == 1:
        trace = parts[0][1]
        return Assembled(trace, outcome, owners, (*warnings, *skew_of(trace)))
    spans, shared, different = _joined(parts)
    trace = Trace(trace_id, spans)
    return Assembled(trace, outcome, owners, (*warnings, *different, *skew_of(trace)), shared)


def _outcome(reply: Reply[Trace | None]) -> SourceOutcome:
    part = reply.value
    return reply.outcome(len(part.spans) if part else 0, part.warnings if part else ())


def _joined(parts: Sequence[tuple[int, Trace]]) -> tuple[list[Span], dict[str, tuple[int, ...]], list[str]]:
    """Returns each span once, as the first part has it, the parts that have it, and whether they agree."""
    spans: dict[str, Span] = {}
    shared: dict[str, tuple[int, ...]] = {}
    different = 0
    for index, part in parts:
        for span in part.spans:
            known = spans.setdefault(span.span_id, span)
            shared[span.span_id] = (*shared.get(span.span_id, ()), index)
            different += (known.start, known.end, known.name) != (span.start, span.end, span.name)
    odd = Notice("%(count)d spans differ between datasources; each is shown as the first one has it.", count=different)
    return list(spans.values()), shared, [odd] if different else []
