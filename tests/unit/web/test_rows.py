"""A hit of the result list in words."""

from __future__ import annotations

from datetime import UTC, datetime

from arcane.model.hit import MatchedSet, MatchedSpan, TraceHit
from arcane.model.ids import SpanId, TraceId
from arcane.traces.questions import FoundTrace
from web.i18n import Languages
from web.rows import HitRow, RowContext, row_of

CONTEXT = RowContext("/traces", UTC, datetime(2026, 1, 1, tzinfo=UTC), 10, Languages.load().by_code["en"])
ONE, TWO = (MatchedSpan(SpanId(f"{number:016x}"), number, 1, name) for number, name in ((1, "pay"), (2, "ship")))


def _row(*sets: MatchedSet, count: int | None = None) -> HitRow:
    spans = tuple(span for one in sets for span in one.spans) or (ONE, TWO)
    hit = TraceHit(
        TraceId("a".zfill(32)), 1, 10, "web", "root", 7, spans, span_sets=sets, span_set_count=count or len(sets)
    )
    return row_of(FoundTrace(hit, ("a",), ("Tempo",)), CONTEXT)


def test_a_plain_hit_shows_its_spans_and_how_many_more_there_are() -> None:
    row = _row()
    assert ([tag.label for tag in row.tags], row.more_tags, row.said) == (["pay", "ship"], 5, "")


def test_groups_are_named_by_their_value_and_their_size() -> None:
    row = _row(
        MatchedSet({"by(resource.service.name)": "agent-api", "by(kind)": "client", "count()": 4}, 4, (ONE,)),
        MatchedSet({"by(resource.service.name)": None, "by(kind)": "server", "count()": 1_200}, 1_200, (TWO,)),
        count=9,
    )
    assert [tag.label for tag in row.tags] == ["agent-api · client × 4", "nil · server × 1,200"]
    assert row.tags[0].title == "by(resource.service.name) = agent-api\nby(kind) = client\ncount() = 4\n\npay"
    assert row.tags[0].href == f"/traces/{'a'.zfill(32)}?span={ONE.span_id}"
    assert (row.more_tags, row.said) == (7, "")


def test_what_was_computed_of_all_spans_stands_before_them_in_few_digits() -> None:
    row = _row(MatchedSet({"count()": 7, "avg(duration)": "3.14290547s", "avg(.n)": 2 / 3}, 7, (ONE, TWO)))
    assert [tag.label for tag in row.tags] == ["pay", "ship"]
    assert (row.more_tags, row.said) == (5, "count() 7, avg(duration) 3.14 s, avg(.n) 0.6667")


def test_a_number_too_large_for_a_float_is_shown() -> None:
    assert _row(MatchedSet({"max(.n)": float("inf")}, 1, (ONE,))).said == "max(.n) inf"
