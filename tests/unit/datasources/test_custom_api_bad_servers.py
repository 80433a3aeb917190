"""What contradicts a contract is one clear error, and never a wrong answer."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from arcane.model.time import TimeRange
from arcane.spi import Adapter, Deadline, ScanPage, ScanRequest, TraceId
from arcane.spi.errors import (
    BackendFailed,
    BadResponse,
    DatasourceError,
    Misconfigured,
    RateLimited,
    Rejected,
    TimedOut,
    TooLarge,
    Unauthorized,
)
from arcane.spi.testing import corpus, scan_all
from datasources.custom_api.adapter import ProbingAdapter
from datasources.custom_api.settings import CustomApiSettings
from datasources.custom_api.v1.adapter import FirstContract
from datasources.custom_api.v2.adapter import SecondContract
from tests.support.custom_api import PATHS, Answer, answering, body_of, whole
from tests.support.egress import session

pytestmark = pytest.mark.anyio

TRACES = corpus()
OLD, NEW, OTHER = TRACES[10], TRACES[20], TRACES[30]
WITHIN = TimeRange(TRACES[0].start, TRACES[25].end)
CAPABILITIES = {"contract": 2, "order": "newest_first", "max_limit": 100}


def page(*entries: Any, **more: Any) -> dict[str, Any]:
    return {"traces": list(entries), "complete": True, **more}


def web_page(_request: web.Request) -> web.Response:
    return web.Response(text="<html>Sign in</html>", content_type="text/html")


def status(code: int, **headers: str) -> Answer:
    return lambda _request: web.json_response({"error": "secret-in-the-body"}, status=code, headers=headers)


async def scanned(routes: dict[str, Answer], limit: int = 10, first: bool = False) -> ScanPage:
    async with answering(routes) as url, session(url) as http:
        chosen = CustomApiSettings(url=url, **PATHS)
        adapter: Adapter = FirstContract(http, chosen) if first else SecondContract(http)
        return await scan_all(adapter, ScanRequest(WITHIN, limit), Deadline.after(10))


def routes(search: Any, capabilities: Any = CAPABILITIES) -> dict[str, Answer]:
    return {
        "GET /capabilities": capabilities if callable(capabilities) else lambda _request: capabilities,
        "POST /search": search if callable(search) else lambda _request: search,
    }


SUMMARY = {"trace_id": OLD.trace_id, "start": str(OLD.start), "duration": "1", "matched": 1}
IN_SUMMARIES = {**CAPABILITIES, "answers": "summaries"}
BAD_SEARCHES: list[tuple[str, Any, Any, str]] = [
    ("a web page", web_page, CAPABILITIES, "web page"),
    ("no JSON", lambda _request: web.Response(body=b"{"), CAPABILITIES, "did not answer with JSON"),
    (
        "no UTF-8",
        lambda _request: web.Response(body=b'{"complete": true, "traces": [], "warnings": ["\xff"]}'),
        CAPABILITIES,
        "JSON",
    ),
    ("a list", [], CAPABILITIES, "Expected `object`"),
    ("no `complete`", {"traces": []}, CAPABILITIES, "missing required field `complete`"),
    ("no `traces`", {"complete": True}, CAPABILITIES, "missing required field `traces`"),
    ("a wrong type", {"traces": {}, "complete": True}, CAPABILITIES, "Expected `array`"),
    ("a text for a yes", {"traces": [], "complete": "yes"}, CAPABILITIES, "Expected `bool`"),
    ("an entry without spans", page({"resourceSpans": []}), CAPABILITIES, "one trace"),
    ("an entry of another kind", page(SUMMARY), CAPABILITIES, "missing required field `resourceSpans`"),
    (
        "two traces in one entry",
        page({"resourceSpans": whole(OLD)["resourceSpans"] + whole(NEW)["resourceSpans"]}),
        CAPABILITIES,
        "one trace",
    ),
    ("a trace twice", page(whole(NEW), whole(NEW)), CAPABILITIES, "twice"),
    ("another order than was said", page(whole(OLD), whole(NEW)), CAPABILITIES, "newest first"),
    ("a trace outside of the range", page(whole(OTHER)), CAPABILITIES, "outside of the range"),
    (
        "more without a way to it",
        page(whole(NEW), complete=False),
        CAPABILITIES,
        "not how to get them",
    ),
    ("the same cursor again", page(complete=False, cursor="a"), CAPABILITIES, "same cursor"),
    ("a whole trace for a summary", page(whole(OLD)), IN_SUMMARIES, "missing required field"),
    ("a trace id that is none", page({**SUMMARY, "trace_id": "no id"}), IN_SUMMARIES, "not an id"),
    (
        "a span id that is none",
        page({**SUMMARY, "spans": [{"span_id": "", "start": 1, "duration": 1}]}),
        IN_SUMMARIES,
        "not an id",
    ),
    ("a time that is none", page({**SUMMARY, "start": "today"}), IN_SUMMARIES, "not a number"),
    ("a time before time", page({**SUMMARY, "start": -5}), IN_SUMMARIES, "64 bits"),
    ("nothing that matched", page({**SUMMARY, "matched": 0}), IN_SUMMARIES, "matched"),
    (
        "a status that is none",
        page({**SUMMARY, "spans": [{"span_id": "1", "start": 1, "duration": 1, "status": "bad"}]}),
        IN_SUMMARIES,
        r"Invalid enum value - at",
    ),
]


@pytest.mark.parametrize(
    ("search", "capabilities", "words"), [one[1:] for one in BAD_SEARCHES], ids=[one[0] for one in BAD_SEARCHES]
)
async def test_a_search_that_contradicts_the_contract_is_refused(search: Any, capabilities: Any, words: str) -> None:
    with pytest.raises(BadResponse, match=words):
        await scanned(routes(search, capabilities))


async def test_more_traces_than_were_asked_for_are_refused() -> None:
    with pytest.raises(BadResponse, match="more traces than it was asked for"):
        await scanned(routes(page(whole(NEW), whole(OLD))), limit=1)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "missing required field `contract`"),
        ({"contract": 3}, "contract 3"),
        ({"contract": "2"}, "Expected `int`"),
        ({"contract": 2, "order": "newest"}, "Invalid enum"),
        ({"contract": 2, "max_limit": 0}, "too small"),
        ({"contract": 2, "time_resolution_ns": "0"}, "too small"),
        ({"contract": 2, "max_range_ns": "1"}, "too small"),
        (
            {"contract": 2, "filter": {"rules": [{"scopes": ["span"], "operators": ["~"], "literals": ["string"]}]}},
            "operators",
        ),
        ({"contract": 2, "filter": {"rules": [{"scopes": ["parent"], "operators": ["="], "literals": []}]}}, "scopes"),
        (web_page, "web page"),
    ],
)
async def test_capabilities_that_make_no_sense_are_refused(document: Any, words: str) -> None:
    with pytest.raises(BadResponse, match=words):
        await scanned(routes(page(), document))


STATUSES: list[tuple[int, type[DatasourceError]]] = [
    (400, Rejected),
    (401, Unauthorized),
    (403, Unauthorized),
    (404, Misconfigured),
    (405, Misconfigured),
    (413, TooLarge),
    (422, Rejected),
    (429, RateLimited),
    (500, BackendFailed),
    (503, BackendFailed),
    (504, TimedOut),
    (204, BadResponse),
]


@pytest.mark.parametrize(("code", "kind"), STATUSES)
@pytest.mark.parametrize("first", [False, True])
async def test_a_status_is_told_in_our_words(code: int, kind: type[DatasourceError], first: bool) -> None:
    path = {"GET /traces/search": status(code)} if first else routes(status(code))
    if first and code == 404:
        path = {}  # a 404 of its own means that nothing was found
    with pytest.raises(kind) as caught:
        await scanned(path, first=first)
    assert "secret" not in str(caught.value)


async def test_a_server_that_asks_for_patience_is_given_it() -> None:
    with pytest.raises(RateLimited) as caught:
        await scanned(routes(status(429, **{"Retry-After": "7"})))
    assert caught.value.retry_after_s == 7.0


async def test_members_that_nobody_knows_are_passed_over() -> None:
    entry = {**whole(NEW), "score": 0.7}
    answer = await scanned(routes(page(entry, took_ms=4), {**CAPABILITIES, "colour": "blue"}))
    assert [one.trace_id for one in answer.candidates] == [NEW.trace_id]
    assert answer.complete


async def test_what_a_server_warns_of_is_shown_without_what_would_steer() -> None:
    answer = await scanned(routes(page(warnings=["the archive\x1b[31m\u202e is not mounted" + "!" * 1_000])))
    (warning,) = answer.warnings
    assert warning.startswith("The server says: the archive[31m is not mounted!")
    assert len(warning) < 400


async def test_a_range_that_is_too_long_is_answered_in_part_and_that_is_told() -> None:
    asked: list[dict[str, Any]] = []

    def search(request: web.Request) -> Any:
        asked.append(body_of(request))
        return page()

    longest = 5_000_000_000
    answer = await scanned(routes(search, {**CAPABILITIES, "max_range_ns": str(longest)}))
    assert not answer.complete
    assert int(asked[0]["end"]) - int(asked[0]["start"]) == longest
    assert asked[0]["end"] == str(WITHIN.end)


async def test_a_server_that_refuses_is_asked_anew_what_it_can_do() -> None:
    asked: list[str] = []

    def capabilities(_request: web.Request) -> Any:
        asked.append("capabilities")
        return CAPABILITIES

    async with answering(routes(status(400), capabilities)) as url, session(url) as http:
        adapter = SecondContract(http)
        for _ in range(2):
            with pytest.raises(Rejected):
                await scan_all(adapter, ScanRequest(WITHIN, 10), Deadline.after(10))
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (lambda _request: whole(NEW), BadResponse, "another trace"),
        (lambda _request: {"spans": []}, BadResponse, "missing required field"),
        (web_page, BadResponse, "web page"),
        (None, Misconfigured, "no /traces"),
    ],
)
async def test_a_trace_that_is_another_or_none_is_refused(answer: Any, kind: type[DatasourceError], words: str) -> None:
    found = {"GET /traces/{id}": answer} if answer else {}
    async with answering({**routes(page()), **found}) as url, session(url) as http:
        with pytest.raises(kind, match=words):
            await SecondContract(http).get_trace(OLD.trace_id, None, Deadline.after(10))


BAD_FIRST: list[tuple[str, Any, str]] = [
    ("a web page", web_page, "web page"),
    ("no JSON", lambda _request: web.Response(body=b"nothing"), "JSON"),
    ("an object of something else", {"items": []}, "missing required field `traces`"),
    ("a trace without an id", {"traces": [{"startTimeUnixNano": "1"}]}, "traceID"),
    ("a trace without a start", [{"traceID": "1"}], "startTimeUnixNano"),
    ("an id that is none", [{"traceID": "no id", "startTimeUnixNano": "1"}], "not one"),
    ("a start that is none", [{"traceID": "1", "startTimeUnixNano": "today"}], "not one"),
    ("a trace twice", [{"traceID": "1", "startTimeUnixNano": "1"}] * 2, "twice"),
    ("more than were asked for", [{"traceID": str(n), "startTimeUnixNano": 1} for n in range(1, 13)], "more traces"),
]


@pytest.mark.parametrize(("search", "words"), [one[1:] for one in BAD_FIRST], ids=[one[0] for one in BAD_FIRST])
async def test_the_first_contract_is_held_to_its_shape(search: Any, words: str) -> None:
    with pytest.raises(BadResponse, match=words):
        await scanned({"GET /traces/search": search if callable(search) else lambda _request: search}, first=True)


async def test_a_trace_that_is_gone_when_it_is_read_is_told() -> None:
    found = [{"traceID": OLD.trace_id, "startTimeUnixNano": str(OLD.start)}]
    gone = status(404)
    answer = await scanned({"GET /traces/search": lambda _: found, "GET /traces/by-id/{id}": gone}, first=True)
    assert answer.complete
    assert answer.warnings == ("1 traces were found and could not be read afterwards.",)


@pytest.mark.parametrize(
    ("capabilities", "is_second"),
    [
        (lambda _request: {"contract": 2}, True),
        (lambda _request: {"status": "UP"}, False),
        (web_page, False),
        (status(404), False),
        (status(403), False),
        (None, False),
    ],
)
async def test_the_contract_is_found_out(capabilities: Any, is_second: bool) -> None:
    found: dict[str, Answer] = {"GET /capabilities": capabilities} if capabilities else {}
    found |= {"POST /search": lambda _request: page(), "GET /traces/search": lambda _request: []}
    async with answering(found) as url, session(url) as http:
        adapter = ProbingAdapter(http, CustomApiSettings(url=url, **PATHS))
        health = await adapter.check(Deadline.after(10))
    assert ("second contract" in health.findings[0]) is is_second


@pytest.mark.parametrize(
    ("capabilities", "kind"),
    [(status(401), Unauthorized), (status(500), BackendFailed), (web_page, BadResponse), (None, Misconfigured)],
)
async def test_without_a_search_path_a_server_has_to_say_what_it_can_do(
    capabilities: Any, kind: type[DatasourceError]
) -> None:
    found: dict[str, Answer] = {"GET /capabilities": capabilities} if capabilities else {}
    async with answering(found) as url, session(url) as http:
        adapter = ProbingAdapter(http, CustomApiSettings(url=url))
        with pytest.raises(kind):
            await adapter.get_trace(TraceId("0" * 31 + "1"), None, Deadline.after(10))
