"""What goes to Jaeger is a superset: every branch, bound and tag."""

from __future__ import annotations

import json

import pytest

from arcane.spi import Capabilities, Expr
from arcane.traceql.parse import parse
from datasources.jaeger.compile import (
    ANYTHING,
    MAX_BRANCHES,
    Ask,
    Branch,
    branches_of,
    params_of_v1,
    params_of_v3,
    push_rules,
)
from datasources.jaeger.stores import STORES, Reach, reach_of

CAREFUL = Reach()
SURE = Reach(sure=True, serviceless=True)
ALL = Reach(sure=True, serviceless=True, tags=True, marks=True)
_MS = 1_000_000


def condition(text: str) -> Expr | None:
    query = parse(text)
    assert query.filter is not None
    return query.filter.condition


def branches(text: str, reach: Reach = ALL) -> set[Branch]:
    return set(branches_of(condition(text), reach))


def test_no_condition_is_any_span() -> None:
    assert branches("{ }") == {ANYTHING}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{ resource.service.name = "shop" }', Branch(service="shop")),
        ('{ name = "GET /" }', Branch(operation="GET /")),
        ('{ span.user = "u 3" }', Branch(tags=(("user", "u 3"),))),
        ('{ .user = "u3" }', Branch(tags=(("user", "u3"),))),
        ('{ event.type = "CardError" }', Branch(tags=(("type", "CardError"),))),
        ("{ kind = server }", Branch(tags=(("span.kind", "server"),))),
        ("{ status = error }", Branch(tags=(("error", "true"),))),
        ("{ duration > 5ms }", Branch(shortest=5 * _MS - 1_000)),
        ("{ duration <= 5ms }", Branch(longest=5 * _MS + 1_000)),
        ("{ duration = 5ms }", Branch(shortest=5 * _MS - 1_000, longest=5 * _MS + 1_000)),
        (
            '{ resource.service.name = "a" && name = "b" && duration > 1ms && duration < 2ms }',
            Branch("a", "b", (), _MS - 1_000, 2 * _MS + 1_000),
        ),
    ],
)
def test_what_jaeger_knows_is_asked(text: str, wanted: Branch) -> None:
    assert branches(text) == {wanted}


@pytest.mark.parametrize(
    "text",
    [
        '{ name = "" }',
        '{ resource.service.name = "" }',
        '{ span.user = "" }',
        '{ span.user = "a|b" }',
        '{ span.user = "a+" }',
        '{ span.user = "a@b" }',
        '{ span.user = "(" }',
        '{ span.user = "a\\nb" }',
        '{ .service.name = "shop" }',
        '{ span.error = "true" }',
        '{ event.event = "x" }',
        '{ span."resource.region" = "eu" }',
        f'{{ span.user = "{"x" * 256}" }}',
        f'{{ name = "{"x" * 256}" }}',
        "{ kind = unspecified }",
        "{ status = ok }",
        "{ status = unset }",
        "{ duration >= 0s }",
        "{ duration > 1us }",
        "{ span.items = 3 }",
        '{ name =~ "a.*" }',
        '{ span.user != "u" }',
    ],
)
def test_what_some_storage_reads_otherwise_is_not(text: str) -> None:
    assert branches(text) == {ANYTHING}


@pytest.mark.parametrize(
    "text", ["{ duration > 5ms }", '{ span.user = "u" }', "{ kind = server }", "{ status = error }"]
)
def test_nothing_but_services_and_names_is_asked_of_a_storage_that_may_cut(text: str) -> None:
    assert branches(text, CAREFUL) == {ANYTHING}
    assert not Capabilities(push=push_rules(CAREFUL)).covers(condition(text))


def test_a_conjunct_that_cannot_be_asked_is_left_out_of_its_branch_only() -> None:
    assert branches('{ name = "a" && span.user = "a|b" }') == {Branch(operation="a")}
    assert branches('{ name = "a" || (name = "b" && span.user = "a|b") }') == {
        Branch(operation="a"),
        Branch(operation="b"),
    }


def test_a_side_that_cannot_be_asked_makes_the_whole_or_anything() -> None:
    assert branches('{ name = "a" || span.user = "a|b" }') == {ANYTHING}


def test_sides_are_multiplied_out_and_said_once() -> None:
    assert branches('{ (name = "a" || name = "b") && resource.service.name = "s" }') == {
        Branch("s", "a"),
        Branch("s", "b"),
    }
    assert branches('{ name = "a" || name = "a" }') == {Branch(operation="a")}


def test_more_sides_than_are_asked_are_asked_more_coarsely() -> None:
    many = " || ".join(f'name = "n{number}"' for number in range(MAX_BRANCHES + 1))
    assert branches(f"{{ {many} }}") == {ANYTHING}
    assert branches(f'{{ ({many}) && resource.service.name = "s" }}') == {Branch(service="s")}


def test_what_no_span_can_be_at_once_is_asked_as_one_of_the_two() -> None:
    assert branches('{ name = "a" && name = "b" }') == {Branch(operation="a")}
    assert branches("{ duration > 5ms && duration < 2ms }") == {Branch(shortest=5 * _MS - 1_000)}


def params(branch: Branch) -> tuple[dict[str, str], dict[str, str]]:
    ask = Ask(branch, 1_795_225_800_000_001, 1_795_225_801_000_000, 20)
    return dict(params_of_v3(ask)), dict(params_of_v1(ask))


def test_the_parameters_of_both_apis() -> None:
    v3, v1 = params(Branch("shop", "GET /", (("user", 'ü"'),), 1_500, 2_000_001))
    assert v3 == {
        "query.service_name": "shop",
        "query.operation_name": "GET /",
        "query.attributes": '{"user":"ü\\""}',
        "query.duration_min": "2us",
        "query.duration_max": "2001us",
        "query.start_time_min": "2026-11-21T01:50:00.000001Z",
        "query.start_time_max": "2026-11-21T01:50:01.000000Z",
        "query.num_traces": "20",
        "query.raw_traces": "true",
    }
    assert v1 == {
        "service": "shop",
        "operation": "GET /",
        "tags": '{"user":"ü\\""}',
        "minDuration": "2us",
        "maxDuration": "2001us",
        "start": "1795225800000001",
        "end": "1795225801000000",
        "limit": "20",
        "raw": "true",
    }
    assert json.loads(v1["tags"]) == {"user": 'ü"'}


def test_a_lower_bound_alone_has_an_upper_one_that_nothing_reaches() -> None:
    v3, _ = params(Branch(shortest=5_000))
    assert int(v3["query.duration_max"].removesuffix("us")) > 366 * 24 * 3_600 * 1_000_000


def test_no_condition_says_nothing_of_services_or_durations() -> None:
    v3, v1 = params(ANYTHING)
    assert set(v3) == {"query.start_time_min", "query.start_time_max", "query.num_traces", "query.raw_traces"}
    assert set(v1) == {"start", "end", "limit", "raw"}


@pytest.mark.parametrize("text", ["{ duration > 106751d }", "{ duration < 106751d }", "{ duration = 106751d }"])
def test_a_bound_never_passes_what_go_can_hold(text: str) -> None:
    (branch,) = branches(text)
    v3, _ = params(branch)
    for name in ("query.duration_min", "query.duration_max"):
        assert int(v3.get(name, "0us").removesuffix("us")) * 1_000 < 2**63


def test_what_may_be_asked_depends_on_the_storage_and_the_api() -> None:
    def reach(storage: str, *, proven: bool = False, first_api: bool = False, attributes: bool = True) -> Reach:
        return reach_of(STORES[storage], proven=proven, first_api=first_api, attributes=attributes)

    assert reach("unknown") == CAREFUL
    assert reach("unknown", proven=True) == SURE
    assert reach("cassandra", proven=True) == CAREFUL
    assert reach("memory") == SURE
    assert reach("memory", first_api=True) == Reach(sure=True, tags=True)
    assert reach("elasticsearch") == ALL
    assert reach("elasticsearch", attributes=False) == SURE
    assert reach("elasticsearch", first_api=True) == Reach(sure=True, tags=True, marks=True)
    assert reach("clickhouse", first_api=True) == Reach(sure=True)


def test_no_rule_claims_to_be_exact() -> None:
    assert all(not rule.exact for reach in (CAREFUL, SURE, ALL) for rule in push_rules(reach))
