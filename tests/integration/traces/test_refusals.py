"""Every way to ask wrongly has its own problem."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.asking import Asker, asking, numbered

pytestmark = pytest.mark.anyio


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    async with asking() as made:
        yield made


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"query": "{ status = }"}, 400, "bad-query"),
        ({"query": '{ kind = "server" }'}, 400, "bad-query"),
        ({"query": "{ name =~ `[` }"}, 400, "bad-query"),
        ({"query": "{} | count() + 1 > 2"}, 400, "unsupported-query"),
        ({"query": "{} >> {} | rate()"}, 400, "metrics-query"),
        ({"query": '{ span.a = "' + "x" * 40_000 + '" }'}, 400, "query-too-long"),
        ({"query": "{ " + "!" * 20_000 + ".a }"}, 400, "bad-query"),
        ({"start": "2026-08-01T12:00:00Z", "end": "2026-08-01T11:00:00Z"}, 400, "reversed-time-range"),
        ({"start": "yesterday"}, 422, "malformed-input"),
        ({"start": "2026-08-01T12:00:00"}, 422, "malformed-input"),
        ({"start": "2026-02-30T12:00:00Z"}, 422, "malformed-input"),
        ({"start": "0001-01-01T00:00:00+23:59"}, 422, "malformed-input"),
        ({"start": 1_700_000_000}, 422, "malformed-input"),
        ({"limit": 1_001}, 400, "limit-too-large"),
        ({"spans_per_trace": 101}, 400, "limit-too-large"),
        ({"limit": 0}, 422, "malformed-input"),
        ({"cursor": "nonsense"}, 400, "bad-cursor"),
        ({"cursor": "ü" * 30}, 400, "bad-cursor"),
        ({"datasources": ["00000000-0000-0000-0000-0000000000ff"]}, 404, "unknown-datasource"),
        ({"datasources": ["nonsense"]}, 404, "unknown-datasource"),
        ({"unknown": 1}, 422, "malformed-input"),
        ([], 422, "malformed-input"),
    ],
)
async def test_a_question_that_cannot_be_asked_has_its_own_problem(
    asker: Asker, body: Any, status: int, slug: str
) -> None:
    asker.add("store", [numbered(0)])
    problem = await asker.post("/search", body, status)
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == status


async def test_a_bad_query_says_where_and_what_to_write(asker: Asker) -> None:
    problem = await asker.search("{ span.a = 1 &&\n  stauts = error }", status=400)
    assert problem["position"] == {"line": 2, "column": 3, "length": 6}
    assert "status" in problem["hint"]


@pytest.mark.parametrize(
    ("raw", "status", "slug"),
    [
        (b'{"query": "\xff"}', 400, "invalid-encoding"),
        (b"{", 400, "unreadable-body"),
        (b'{"query": "' + b"x" * 3_000_000 + b'"}', 413, "body-too-large"),
        (b'{"query": "{ span.a = \\"\\ud800\\" }"}', 400, "bad-query"),
    ],
)
async def test_a_body_that_cannot_be_read_has_its_own_problem(asker: Asker, raw: bytes, status: int, slug: str) -> None:
    headers = {"content-type": "application/json"}
    answer = await asker.client.post(asker.root + "/search", content=raw, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")


async def test_a_cursor_fits_the_question_it_was_made_for_and_no_other(asker: Asker) -> None:
    asker.add("store", [numbered(number) for number in range(5)])
    other = asker.add("other", [numbered(9)])
    asked = {"start": "2026-08-01T11:00:00Z", "end": "2026-08-01T12:00:00.123456789Z", "limit": 2}
    cursor = (await asker.search("{ }", **asked))["next"]
    assert len((await asker.search("{}", **asked, cursor=cursor))["items"]) == 2
    assert len((await asker.search("{}", cursor=cursor, limit=1))["items"]) == 1
    cut = asked | {"end": "2026-08-01T12:00:00.123456Z"}
    assert len((await asker.search("{}", **cut, cursor=cursor))["items"]) == 2
    for changed in (
        asked | {"query": "{ status = error }"},
        asked | {"query": "{}", "datasources": [other]},
        asked | {"query": "{}", "end": "2026-08-01T12:00:01Z"},
    ):
        problem = await asker.post("/search", {**changed, "cursor": cursor}, 400)
        assert problem["type"] == "/problems/bad-cursor"
    tampered = cursor[:40] + ("A" if cursor[40] != "A" else "B") + cursor[41:]
    problem = await asker.search("{}", **asked, cursor=tampered, status=400)
    assert problem["type"] == "/problems/tampered-cursor"


async def test_a_cursor_of_another_project_is_refused(asker: Asker) -> None:
    asker.add("store", [numbered(number) for number in range(5)])
    cursor = (await asker.search(limit=2))["next"]
    async with asking() as stranger:
        stranger.add("store", [numbered(number) for number in range(5)])
        problem = await stranger.search(cursor=cursor, status=400)
    assert problem["type"] == "/problems/bad-cursor"
