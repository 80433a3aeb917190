"""Which queries look at what spans carry of their own: for the others it need not be read."""

from __future__ import annotations

import pytest

from arcane.traceql.parse import parse
from arcane.traceql.query import reads_own

NOTHING = (
    "{ }",
    "{ status = error && duration > 1s }",
    '{ resource.service.name = "shop" } >> { name = "GET /" }',
    "{ kind = server } | by(resource.service.name) | count() > 2",
    '{ statusMessage = "no" || rootName = "GET /" || span:childCount > 1 }',
    '{ instrumentation:name = "http" && instrumentation.layer = "edge" }',
    "{ } | select(resource.region, status)",
)
OWN = (
    '{ span.user.id = "u1" }',
    "{ .user.id != nil }",
    '{ event:name = "exception" }',
    "{ event.attempt > 1 }",
    '{ link:traceID = "1" }',
    '{ link.kind = "follows" }',
    "{ } | select(span.a)",
    "{ } | by(.a)",
    "{ } | avg(span.a) > 2",
    "({ status = error }) >> ({ } | max(event:timeSinceStart) > 1s)",
)


@pytest.mark.parametrize("text", NOTHING)
def test_what_every_span_has_is_not_its_own(text: str) -> None:
    assert not reads_own(parse(text))


@pytest.mark.parametrize("text", OWN)
def test_attributes_events_and_links_are_its_own_wherever_they_are_named(text: str) -> None:
    assert reads_own(parse(text))
