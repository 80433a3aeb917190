"""What is pushed, what is kept, and why: one law a test."""

from __future__ import annotations

import pytest

from arcane.federation.explain import conditions_of
from arcane.federation.plan import Reason, SourcePlan, plan, plans
from arcane.federation.required import matches_nothing
from arcane.federation.rewrite import narrowed, normalised, without_constants
from arcane.spi.capabilities import Capabilities, PushRule
from arcane.traceql.ast import COMPARISONS, LiteralType, Op, Scope, SpansetFilter
from arcane.traceql.format import format_expr, format_query
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
    return plan(without_constants(parse(text)), can, alone=alone)


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
    assert format_query(without_constants(parse("{ true && span.a = 1 && 2 > 1 }"))) == "{ span.a = 1 }"
    assert without_constants(parse("{ true }")) == parse("{}")
    assert format_query(without_constants(parse("{ true } > { 1 > 2 }"))) == "{} > { false }"


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        ("{ span.a = 1 && 1 > 2 }", True),
        ("{ span.a = false }", False),
        ("{} > { false }", True),
        ("{ false } !> {}", False),
        ("{ false } || { span.a = 1 }", False),
        ("{ false } || { false } | count() > 1", True),
    ],
)
def test_a_query_that_nothing_can_match_is_known_before_anybody_is_asked(text: str, nothing: bool) -> None:
    assert matches_nothing(without_constants(parse(text))) is nothing


@pytest.mark.parametrize(
    ("text", "scoped"),
    [
        ("{ span.a = 1 || span.b = 2 }", '{ (span.a = 1 || span.b = 2) && span.team = "x" }'),
        ("{}", '{ span.team = "x" }'),
        ("{ span.a = 1 } >> {}", '{ span.a = 1 && span.team = "x" } >> { span.team = "x" }'),
        (
            "({ span.a = 1 } | by(span.b) | count() > 1) && ({})",
            '({ span.a = 1 && span.team = "x" } | by(span.b) | count() > 1) && ({ span.team = "x" })',
        ),
        ("count() > 2", '{ span.team = "x" } | count() > 2'),
        (
            "(by(span.b)) || (count() > 2)",
            '({ span.team = "x" } | by(span.b)) || ({ span.team = "x" } | count() > 2)',
        ),
    ],
)
def test_a_scope_is_anded_to_whatever_is_asked(text: str, scoped: str) -> None:
    scope = spanset('{ span.team = "x" }').condition
    assert narrowed(parse(text), scope) == parse(scoped)
    assert narrowed(parse(text), None) == parse(text)


def test_operators_that_cannot_be_flipped_are_left_alone() -> None:
    condition = spanset("{ span.a =~ `x` }").condition
    assert condition is not None
    assert normalised(condition) == condition
    assert Op.MATCH in COMPARISONS


@pytest.mark.parametrize(
    ("text", "pushed"),
    [
        ("{ span.a = 1 } > { status = error }", "{ span.a = 1 }"),
        ("{ duration > 5ms } >> { span.a = 1 }", "{ span.a = 1 }"),
        ("{ span.a = 1 } && { span.b =~ `x` }", "{ span.a = 1 }"),
        ("{ span.a = 1 } !>> { duration > 5ms }", "{ duration > 5ms }"),
        ("({ span.a = 1 } >> { duration > 5ms }) || { status = error }", "{ span.a = 1 || status = error }"),
        ("({ span.a = 1 } >> {}) || {}", None),
        ("{ span.a = 1 } | count() > 2", "{ span.a = 1 }"),
        (
            "{ span.a = 1 } | by(name) | { span.b = 2 } | avg(duration) > 1s",
            "{ span.a = 1 && span.b = 2 && duration > 1s }",
        ),
        ("{ span.a = 1 } | max(span.b) > 5", "{ span.a = 1 && span.b > 5 }"),
        ("{ span.a = 1 } | sum(span.b) > 5", "{ span.a = 1 }"),
    ],
)
def test_what_a_trace_must_have_is_asked_for(text: str, pushed: str | None) -> None:
    made = planned(text, ALL)
    assert halves(made) == (pushed, format_query(parse(text)))
    assert not made.whole_traces
    assert planned(text, ALL, alone=False).whole_traces


@pytest.mark.parametrize(
    ("text", "pushed"),
    [
        ("{ span.a = 1 } || { span.b = 2 }", "{ span.a = 1 || span.b = 2 }"),
        ("{ span.a } || { span.b }", "{ span.a = true || span.b = true }"),
        ("{ span.a = 1 } | { span.b = 2 }", "{ span.a = 1 && span.b = 2 }"),
        ("{ span.a = 1 } | select(span.b)", "{ span.a = 1 }"),
    ],
)
def test_a_query_about_single_spans_is_a_filter(text: str, pushed: str) -> None:
    made = planned(text, ALL, alone=False)
    assert halves(made) == (pushed, None)
    assert not made.whole_traces


@pytest.mark.parametrize(
    "text",
    [
        "{ span.a = 1 } | select(span.b)",
        "{ span.a = 1 } | select(span.a, span.b) | select(span.b)",
        "({ span.a = 1 } | select(span.b)) || ({ span.a = 2 })",
        "{} || { span.b = 1 }",
        "({ span.b = 1 } || {}) | { span.a = 1 }",
    ],
)
def test_what_is_shown_and_not_asked_is_asked_for_beside_it(text: str) -> None:
    made = planned(text, ALL)
    assert made.residual is None
    assert [field.name for field in made.select] == ["b"]


def test_of_two_fields_with_one_name_the_first_in_the_text_is_shown() -> None:
    """A datasource shows what is selected behind what is asked: where the text has it before, spans are shown here."""
    assert planned("{ span.a = 1 } | select(resource.a)", ALL).residual is None
    for text in ("{ span.b = 1 } | select(resource.a) | { span.a = 2 }", "({} || { resource.a = 1 }) | { span.a = 2 }"):
        assert planned(text, ALL).residual is not None, text


def test_conditions_on_one_event_each_do_not_become_conditions_on_the_same_event() -> None:
    made = planned("{ event.a = 1 } | { event.b = 2 }", ALL)
    assert halves(made) == ("{ event.a = 1 }", "{ event.a = 1 } | { event.b = 2 }")


def test_all_datasources_are_asked_for_the_same_span_of_a_trace() -> None:
    """A trace may have its one span here and its other one there: each would be asked for what the other one has."""
    only_a = Capabilities(push=(rule(names=frozenset({"a"})),))
    only_b = Capabilities(push=(rule(names=frozenset({"b"})),))
    made = plans(parse("{ span.a = 1 } >> { span.b = 2 }"), [only_a, only_b, only_b], alone=False)
    assert [one.pushed_text for one in made] == [None, "{ span.b = 2 }", "{ span.b = 2 }"]


def test_why_a_whole_query_is_evaluated_here_is_told_part_by_part() -> None:
    made = planned("{ span.a = 1 } >> {} | by(name) | count() > 1 | select(span.b)", ALL)
    assert [(one.condition, one.reason) for one in conditions_of(made)] == [
        ("{ span.a = 1 } >> {}", Reason.STRUCTURE),
        ("by(name)", Reason.PIPELINE),
        ("count() > 1", Reason.PIPELINE),
    ]


@pytest.mark.parametrize(
    "text", ["{ span.a = 1 } | select(span:childCount)", "{} || { nestedSetLeft > 1 }", "{} | select(nestedSetParent)"]
)
def test_what_only_the_whole_trace_tells_of_a_span_is_shown_from_there(text: str) -> None:
    """A datasource shows the spans that match, and those have no children among themselves."""
    made = planned(text, ALL)
    assert made.residual_text is not None
    assert made.select == ()
    assert planned("{ span.a = 1 } | select(rootName, traceDuration)", ALL).residual is None  # a hit has them anyway


def test_a_stage_that_shows_what_the_whole_trace_tells_is_explained() -> None:
    made = planned("{ span.a = 1 } | select(span:childCount)", ALL)
    assert [(one.condition, one.reason) for one in conditions_of(made)] == [
        ("select(span:childCount)", Reason.WHOLE_TRACE)
    ]


def test_a_query_that_stays_because_of_what_it_shows_says_so() -> None:
    made = planned("{ span.b = 1 } | select(resource.a) | { span.a = 2 }", ALL)
    assert [(one.condition, one.reason) for one in conditions_of(made)] == [("select(resource.a)", Reason.ORDER)]
