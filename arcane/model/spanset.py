"""What a query finds in a trace. `gc=False`: see arcane.model.span."""

from __future__ import annotations

import msgspec

from arcane.model.span import Span
from arcane.model.values import Attributes


class SpanSet(msgspec.Struct, frozen=True, gc=False):
    """Spans of one trace in order of start, at least one.

    `attributes` holds what `by()` and aggregates say of them, keyed by the canonical text of the query:
    `by(resource.service.name)`, `count()`, `avg(duration)`. None is the group without a value, durations are text.
    """

    spans: tuple[Span, ...]
    attributes: Attributes = msgspec.field(default_factory=dict)
