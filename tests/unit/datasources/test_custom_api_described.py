"""What is described of a server of either contract is what it is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from arcane.model.time import TimeRange
from arcane.spi import Deadline, ScanRequest, SentRequest
from arcane.spi.testing import corpus, filter_of, scan_all
from datasources.custom_api.adapter import ProbingAdapter
from datasources.custom_api.settings import CustomApiSettings
from datasources.custom_api.v2.adapter import SecondContract
from tests.support.custom_api import PATHS, Answer, answering, body_of, first_contract
from tests.support.egress import session
from tests.support.second_contract import EVERYTHING, second_contract

pytestmark = pytest.mark.anyio

TRACES = corpus()
WITHIN = TimeRange(TRACES[0].start, TRACES[-1].end)
ASKED = ScanRequest(WITHIN, 10, filter_of('{ name = "SELECT" && duration > 5ms }'))


class Heard:
    """Routes that remember what they were asked for."""

    def __init__(self, routes: dict[str, Answer]) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.routes = {route: self._listening(answer) for route, answer in routes.items()}

    def _listening(self, answer: Answer) -> Answer:
        def listen(request: web.Request) -> Any:
            said = body_of(request) if request.method == "POST" else dict(request.query)
            self.requests.append((request.path, said))
            return answer(request)

        return listen


def said(request: SentRequest) -> tuple[str, dict[str, Any]]:
    """Returns what a server would have heard."""
    values = dict(request.parameters)
    return request.target, {name: _plain(value) for name, value in values.items()}


def _plain(value: str) -> Any:
    is_document = value[:1] in "{[" and value[:2] != "{ "
    return json.loads(value) if is_document or value in ("null", "true") else value


async def test_the_second_contract_is_described_as_it_is_asked() -> None:
    heard = Heard(second_contract(TRACES, EVERYTHING))
    async with answering(heard.routes) as url, session(url) as http:
        adapter = ProbingAdapter(http, CustomApiSettings(url=url))
        before = adapter.describe(ASKED, whole=True)
        assert [one.target for one in before] == ["/capabilities", "/search", "/traces/{id}"]
        await adapter.check(Deadline.after(5))
        heard.requests.clear()
        (described,) = adapter.describe(ASKED, whole=False)
        await scan_all(adapter, ASKED)
    (sent,) = heard.requests
    path, document = said(described)
    assert path == sent[0]
    assert document == {name: str(value) if isinstance(value, int) else value for name, value in sent[1].items()}


async def test_the_first_contract_is_described_as_it_is_asked() -> None:
    heard = Heard(first_contract(TRACES))
    async with answering(heard.routes) as url, session(url) as http:
        adapter = ProbingAdapter(http, CustomApiSettings(url=url, **PATHS, query_is_traceql=True))
        (before,) = adapter.describe(ASKED, whole=False)
        assert before.target == "/capabilities"
        assert "contract" in before.note
        await adapter.check(Deadline.after(5))
        heard.requests.clear()
        search, trace = adapter.describe(ASKED, whole=False)
        await scan_all(adapter, ASKED)
    assert said(search) == heard.requests[0]
    assert trace.target == PATHS["trace_path"]
    assert all(path.startswith("/traces/by-id/") for path, _ in heard.requests[1:])


@pytest.mark.parametrize("knows", [True, False])
async def test_only_a_server_that_knows_it_is_told_that_earlier_traces_are_not_wanted(knows: bool) -> None:
    heard = Heard(second_contract(TRACES, {**EVERYTHING, "began_within": knows}))
    within = TimeRange(TRACES[5].start + 1, TRACES[-1].end)
    async with answering(heard.routes) as url, session(url) as http:
        answer = await scan_all(SecondContract(http), ScanRequest(within, 100, began_within=True))
    bodies = [body for path, body in heard.requests if path == "/search"]
    assert {body.get("began_within") for body in bodies} == {True if knows else None}
    began_before = [one for one in answer.candidates if one.start < within.start]
    assert bool(began_before) is not knows
