"""Rows of several datasources become one page."""

from __future__ import annotations

import msgspec

from arcane.federation.merge import Position, Row, Stream, merge, merge_hits
from arcane.model.hit import SPAN_SETS_SHOWN, MatchedSet, MatchedSpan, ServiceStats, TraceHit
from arcane.model.ids import SpanId, TraceId

TOP = (1_000, "")


def hit(number: int, start: int, *spans: int, root: str | None = "root", count: int | None = 2) -> TraceHit:
    return TraceHit(
        TraceId(f"{number:032x}"),
        start,
        10,
        "shop" if root else None,
        root,
        len(spans),
        tuple(MatchedSpan(SpanId(f"{span:016x}"), start + span, 1) for span in spans),
        count,
        None if count is None else 1,
        {"shop": ServiceStats(2, 1)},
    )


def stream(*rows: tuple[int, int], frontier: Position | None = None) -> Stream:
    return Stream([Row((start, f"{number:032x}"), hit(number, start, number)) for number, start in rows], TOP, frontier)


def found(page: object) -> list[int]:
    return [int(one.trace_id, 16) for one in page.hits]  # type: ignore[attr-defined]


def test_the_newest_come_first_and_ties_go_by_id() -> None:
    page = merge([stream((1, 50), (2, 30)), stream((3, 50), (4, 40))], 3, 3)
    assert found(page) == [3, 1, 4]
    assert page.origins == [{1}, {0}, {1}]
    assert page.resume == [(50, f"{1:032x}"), None]


def test_a_stream_that_gave_nothing_yet_keeps_its_place() -> None:
    page = merge([stream((1, 50)), stream((2, 10), frontier=(5, ""))], 1, 3)
    assert page.resume == [None, TOP]


def test_a_stream_whose_rows_were_all_taken_goes_on_at_its_frontier() -> None:
    page = merge([stream((1, 50), frontier=(20, "")), stream()], 10, 3)
    assert page.resume == [(20, ""), None]


def test_one_stream_is_its_own_page() -> None:
    page = merge([stream((1, 50), (2, 40), (3, 30), frontier=(7, ""))], 2, 3)
    assert found(page) == [1, 2]
    assert page.resume == [(40, f"{2:032x}")]
    assert merge([stream((1, 50), frontier=(7, ""))], 2, 3).resume == [(7, "")]


def test_a_trace_of_two_datasources_is_one_hit_and_both_move_on() -> None:
    page = merge([stream((1, 50), (2, 40)), stream((1, 50), (3, 30))], 2, 3)
    assert found(page) == [1, 2]
    assert page.origins == [{0, 1}, {0}]
    assert page.resume == [None, (50, f"{1:032x}")]


def test_the_later_part_of_a_trace_joins_a_full_page_without_being_taken() -> None:
    page = merge([stream((1, 50), (2, 40)), stream((3, 45), (1, 20))], 2, 3)
    assert found(page) == [1, 3]
    assert page.hits[0].start == 20
    assert page.origins[0] == {0, 1}
    assert page.resume[1] == (45, f"{3:032x}")


def test_parts_add_up() -> None:
    one, other = hit(1, 50, 1, root=None), hit(1, 30, 2, 3)
    both = merge_hits(one, other, 2)
    assert (both.start, both.duration, both.root_name, both.matched) == (30, 30, "root", 3)
    assert [int(span.span_id, 16) for span in both.spans] == [2, 3]
    assert (both.span_count, both.error_count) == (4, 2)
    assert both.services == {"shop": ServiceStats(4, 2)}
    assert merge_hits(hit(1, 50, 1, root=None, count=None), other, 3).span_count is None


def test_copies_do_not_add_up() -> None:
    one, other = hit(1, 50, 1, 2), hit(1, 50, 1, 2, 3)
    both = merge_hits(one, other, 3)
    assert (both.matched, both.span_count, both.services) == (3, 2, {"shop": ServiceStats(2, 1)})
    unknown = merge_hits(hit(1, 50, 1, count=None), hit(1, 50, 1), 3)
    assert unknown.span_count == 2
    assert merge_hits(hit(1, 50, 1), hit(1, 50, 1, count=None), 3).span_count == 2


def test_the_same_root_at_the_same_time_tells_copies_though_other_spans_are_shown() -> None:
    assert merge_hits(hit(1, 50, 1), hit(1, 50, 2), 3).span_count == 2


def test_without_any_root_there_is_none() -> None:
    assert merge_hits(hit(1, 50, 1, root=None), hit(1, 40, 2, root=None), 3).root_name is None


def test_services_that_only_one_knows_are_kept() -> None:
    other = TraceHit(TraceId("1".zfill(32)), 10, 1, None, None, 0, (), 1, 0, {"db": ServiceStats(1)})
    assert set(merge_hits(hit(1, 50, 1), other, 3).services) == {"shop", "db"}


def grouped(number: int, *sets: tuple[str, tuple[int, ...]]) -> TraceHit:
    whole = hit(number, 1, *(span for _, spans in sets for span in spans), root=None)
    found = tuple(
        MatchedSet({"by(name)": name}, len(spans), tuple(MatchedSpan(SpanId(f"{one:016x}"), one, 1) for one in spans))
        for name, spans in sets
    )
    return msgspec.structs.replace(whole, span_sets=found, span_set_count=len(found))


def test_the_parts_of_one_group_are_one_group() -> None:
    merged = merge_hits(grouped(1, ("a", (2, 3)), ("b", (4,))), grouped(1, ("c", (6,)), ("a", (1,))), 2)
    assert [(one.attributes["by(name)"], one.matched) for one in merged.span_sets] == [("a", 3), ("b", 1), ("c", 1)]
    assert [int(span.span_id, 16) for span in merged.span_sets[0].spans] == [1, 2]
    assert merged.span_set_count == 3


def test_copies_of_a_group_are_not_added_up() -> None:
    merged = merge_hits(grouped(1, ("a", (2, 3))), grouped(1, ("a", (2, 3))), 3)
    assert [(one.matched, len(one.spans)) for one in merged.span_sets] == [(2, 2)]


def test_a_merged_hit_shows_no_more_groups_than_a_hit_does() -> None:
    many, others = ([(f"{side}{number}", (number,)) for number in range(80)] for side in "xy")
    merged = merge_hits(grouped(1, *many), grouped(1, *others), 3)
    assert (len(merged.span_sets), merged.span_set_count) == (SPAN_SETS_SHOWN, 160)
