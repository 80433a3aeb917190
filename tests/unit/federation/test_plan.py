"""What is pushed, what is kept, and why: one law a test."""

from __future__ import annotations

import pytest

from arcane.federation.plan import Reason, SourcePlan, plan
from arcane.federation.rewrite import matches_nothing, narrowed, normalised, without_constants
from arcane.spi.capabilities import Capabilities, PushRule
from arcane.traceql.ast import COMPARISONS, LiteralType, Op, Scope, SpansetFilter
from arcane.traceql.format import format_expr, format_filter
from arcane.traceql.parse import parse

ATTRIBUTES = frozenset({Scope.SPAN, Scope.RESOURCE})


def rule(
    *, exact: bool = True, names: frozenset[str] | None = None, scopes: frozenset[Scope] | None = None
) -> PushRule:
    return PushRule(scopes or frozenset(Scope), COMPARISONS, frozenset(LiteralType), names, exact)


ALL = Capabilities(push=(rule(),), push_or=True, push_not=True)
NOTHING = Capabilities()


def spanset(text: str) -> SpansetFilter:
    found = parse(text).filter
    assert found is not None
    return found


def planned(text: str, can: Capabilities, *, alone: bool = True) -> SourcePlan:
    return plan(spanset(text), can, alone=alone)


def halves(made: SourcePlan) -> tuple[str | None, str | None]:
    return made.pushed_text, made.residual_text


def test_what_a_datasource_answers_exactly_is_left_to_it() -> None:
    assert halves(planned("{ span.a = 1 && status = error }", ALL)) == ("{ span.a = 1 && status = error }", None)


def test_a_datasource_that_can_only_list_is_asked_for_everything() -> None:
    made = planned("{ span.a = 1 }", NOTHING)
    assert halves(made) == (None, "{ span.a = 1 }")
    assert made.pushed == SpansetFilter()


def test_every_trace_is_every_trace_everywhere() -> None:
    assert halves(planned("{}", NOTHING)) == (None, None)


def test_what_cannot_be_pushed_stays_and_the_rest_goes() -> None:
    can = Capabilities(push=(rule(names=frozenset({"a"})),))
    made = planned("{ span.a = 1 && span.b = 2 && resource.a = 3 }", can)
    assert halves(made) == ("{ span.a = 1 && resource.a = 3 }", "{ span.b = 2 }")
    assert [one.reason for one in made.kept] == [Reason.UNSUPPORTED]


def test_a_superset_is_pushed_and_checked_again() -> None:
    made = planned("{ span.a = 1 }", Capabilities(push=(rule(exact=False),)))
    assert halves(made) == ("{ span.a = 1 }", "{ span.a = 1 }")
    assert [one.reason for one in made.kept] == [Reason.SUPERSET]


def test_alternatives_are_pushed_whole_or_not_at_all() -> None:
    text = "{ span.a = 1 || span.b = 2 }"
    assert halves(planned(text, ALL)) == (text, None)
    part = Capabilities(push=(rule(names=frozenset({"a"})),), push_or=True)
    assert halves(planned(text, part)) == (None, text)
    without_or = Capabilities(push=(rule(),))
    made = planned(text, without_or)
    assert halves(made) == (None, text)
    assert [one.reason for one in made.kept] == [Reason.ALTERNATIVE]


def test_a_negation_is_pushed_only_where_it_means_the_same() -> None:
    text = "{ !(span.a = 1) }"
    assert halves(planned(text, ALL)) == (text, None)
    made = planned(text, Capabilities(push=(rule(),)))
    assert halves(made) == (None, text)
    assert [one.reason for one in made.kept] == [Reason.NEGATION]
    inexact = Capabilities(push=(rule(exact=False),), push_not=True)
    assert halves(planned(text, inexact)) == (None, text), "what a superset leaves out is not the complement"


@pytest.mark.parametrize("text", ["{ !(event.a = 1) }", "{ span.a = 1 || !(link.a = 1) }"])
def test_a_negation_about_events_or_links_is_never_pushed(text: str) -> None:
    assert halves(planned(text, ALL)) == (None, text)


@pytest.mark.parametrize("row", ["event", "link"])
def test_conditions_on_one_event_are_evaluated_together(row: str) -> None:
    text = f"{{ {row}.a = 1 && span.b = 2 && {row}.c = 3 }}"
    made = planned(text, ALL)
    assert halves(made) == (text, f"{{ {row}.a = 1 && {row}.c = 3 }}")
    assert {one.reason for one in made.kept} == {Reason.SAME_ROW}
    some = Capabilities(push=(rule(names=frozenset({"a", "b"})),))
    assert halves(planned(text, some)) == (f"{{ {row}.a = 1 && span.b = 2 }}", f"{{ {row}.a = 1 && {row}.c = 3 }}")


def test_one_condition_on_events_is_like_any_other() -> None:
    assert halves(planned("{ event.a = 1 && link.b = 2 }", ALL)) == ("{ event.a = 1 && link.b = 2 }", None)


def test_a_condition_on_the_whole_trace_is_pushed_when_one_datasource_is_asked_alone() -> None:
    text = '{ rootName = "x" && span.a = 1 }'
    assert halves(planned(text, ALL)) == (text, None)
    made = planned(text, ALL, alone=False)
    assert halves(made) == ("{ span.a = 1 }", '{ rootName = "x" }')
    assert made.whole_traces
    assert [one.reason for one in made.kept] == [Reason.WHOLE_TRACE]


def test_a_residual_on_spans_needs_no_other_datasource() -> None:
    assert not planned("{ span.a = 1 }", NOTHING, alone=False).whole_traces


def test_a_constant_on_the_left_is_pushed_from_the_right() -> None:
    assert halves(planned("{ 1 < span.a && 2 >= span.b || 3 = span.c }", ALL)) == (
        "{ span.a > 1 && span.b <= 2 || span.c = 3 }",
        None,
    )


def test_a_bare_attribute_asks_for_those_that_are_true() -> None:
    made = planned("{ span.ok }", ALL)
    assert halves(made) == ("{ span.ok = true }", "{ span.ok }")


def test_an_attribute_of_any_scope_asks_for_both_places() -> None:
    can = Capabilities(push=(rule(scopes=ATTRIBUTES),), push_or=True)
    made = planned("{ .a = 1 }", can)
    assert halves(made) == ("{ span.a = 1 || resource.a = 1 }", "{ .a = 1 }")
    assert halves(planned("{ .a = 1 }", Capabilities(push=(rule(scopes=ATTRIBUTES),)))) == (None, "{ .a = 1 }")


def test_arithmetic_is_evaluated_here() -> None:
    assert halves(planned("{ span.a + 1 = 2 && span.b = 1 }", ALL)) == ("{ span.b = 1 }", "{ span.a + 1 = 2 }")


def test_normalising_means_the_same() -> None:
    condition = spanset("{ !(1 = span.a) && span.b + 1 > 2 && 1 + span.c = span.d }").condition
    assert condition is not None
    assert format_expr(normalised(condition)) == "!(span.a = 1) && span.b + 1 > 2 && 1 + span.c = span.d"


def test_conditions_without_a_field_are_decided_once() -> None:
    assert format_filter(without_constants(spanset("{ true && span.a = 1 && 2 > 1 }"))) == "{ span.a = 1 }"
    assert without_constants(spanset("{ true }")) == SpansetFilter()
    assert matches_nothing(without_constants(spanset("{ span.a = 1 && 1 > 2 }")))
    assert not matches_nothing(spanset("{ span.a = false }"))


def test_a_scope_is_anded_to_whatever_is_asked() -> None:
    scope = spanset('{ span.team = "x" }').condition
    assert format_filter(narrowed(spanset("{ span.a = 1 || span.b = 2 }"), scope)) == (
        '{ (span.a = 1 || span.b = 2) && span.team = "x" }'
    ).replace("(span.a = 1 || span.b = 2)", format_expr(spanset("{ span.a = 1 || span.b = 2 }").condition or scope))
    assert format_filter(narrowed(SpansetFilter(), scope)) == '{ span.team = "x" }'
    assert narrowed(SpansetFilter(), None) == SpansetFilter()


def test_operators_that_cannot_be_flipped_are_left_alone() -> None:
    condition = spanset("{ span.a =~ `x` }").condition
    assert condition is not None
    assert normalised(condition) == condition
    assert Op.MATCH in COMPARISONS
