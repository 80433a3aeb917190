"""A search as the original product asks it becomes one TraceQL query."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arcane.compat.public.asked import BadAttributes, CannotNarrow, PublicSearch, query_of, read_logfmt
from arcane.traceql.check import check
from arcane.traceql.format import format_query
from arcane.traceql.parse import parse


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ({}, ""),
        ({"q": " { status = error } | count() > 2 "}, "{ status = error } | count() > 2"),
        ({"serviceName": 'a "b"'}, '{ resource.service.name = "a \\"b\\"" }'),
        (
            {"operationName": "GET /", "attributes": "http.method=GET"},
            '{ .http.method = "GET" && name = "GET /" }',
        ),
        ({"attributes": "code=200"}, '{ .code = "200" || .code = 200 }'),
        ({"attributes": "ok=true rate=0.5"}, '{ .ok = "true" || .ok = true && (.rate = "0.5" || .rate = 0.5) }'),
        ({"filterByAttributeExists": ["llm.model", "odd name"]}, '{ .llm.model != nil && ."odd name" != nil }'),
        (
            {"q": "{ kind = server }", "minDuration": 5_000_000, "maxDuration": 1e9},
            "{ kind = server }\n&& { traceDuration >= 5ms && traceDuration <= 1s }",
        ),
    ],
)
def test_what_is_asked_is_one_query(body: dict[str, Any], query: str) -> None:
    assert query_of(PublicSearch.model_validate(body)) == query


def test_a_comment_at_the_end_takes_nothing_with_it() -> None:
    asked = query_of(PublicSearch.model_validate({"q": "{ kind = server } // ours", "serviceName": "a"}))
    assert format_query(parse(asked)) == '{ kind = server } && { resource.service.name = "a" }'


def test_a_pipeline_is_not_narrowed_behind_its_back() -> None:
    with pytest.raises(CannotNarrow):
        query_of(PublicSearch.model_validate({"q": "{ } | count() > 2", "serviceName": "a"}))


@pytest.mark.parametrize("text", ["a", "a=1 b", 'a="1', "=1", 'a="1"2'])
def test_what_is_not_logfmt_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(BadAttributes):
        read_logfmt(text)


@given(st.lists(st.tuples(st.from_regex(r"[a-z][a-z0-9._-]{0,8}", fullmatch=True), st.text(max_size=12)), max_size=5))
def test_logfmt_is_read_back(pairs: list[tuple[str, str]]) -> None:
    def quoted(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"')

    text = " ".join(f'{name}="{quoted(value)}"' for name, value in pairs)
    assert read_logfmt(text) == pairs


@given(st.text(max_size=40), st.text(min_size=1, max_size=20), st.integers(0, 1 << 62))
def test_whatever_the_values_are_the_query_is_valid(service: str, name: str, longest: int) -> None:
    body = {"serviceName": service, "filterByAttributeExists": [name], "maxDuration": longest}
    check(parse(query_of(PublicSearch.model_validate(body))))
