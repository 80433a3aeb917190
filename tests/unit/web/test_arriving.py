"""Pieces of an answer: only for one that takes its time, and never anything that the whole answer lacks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import httpx
import pytest

from tests.support.fake_site import fake_app
from tests.support.fake_traces import Stored, corpus

pytestmark = pytest.mark.anyio
DAY = "/o/acme/p/support/traces?range=24h"


async def read(stored: Sequence[Stored], url: str = DAY, **headers: str) -> str:
    app = fake_app(stored=stored)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://arcane.test") as client:  # noqa: TID251
        answer = await client.get(url, headers=headers)
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    return answer.text


def rows_in(html: str) -> list[str]:
    return re.findall(r'data-trace="([0-9a-f]{32})"', html)


async def test_an_answer_that_is_there_at_once_has_no_pieces() -> None:
    text = await read(corpus()[:1])
    assert "data-piece" not in text
    assert len(rows_in(text)) == 50


async def test_a_slow_answer_shows_rows_and_datasources_before_it_is_whole() -> None:
    quick, slow = replace(corpus()[0], slow_s=0.01), replace(corpus()[2], slow_s=1.0)
    text = await read((quick, slow))
    pieces, _, whole = text.partition('<div class="results" id="results"')
    assert pieces.count('data-piece="row"') >= 50
    assert quick.name in pieces.partition('data-piece="source"')[2]
    assert set(rows_in(whole)) <= set(rows_in(pieces))
    assert len(rows_in(whole)) == 50
    assert "</html>" in whole


async def test_a_script_gets_the_pieces_and_the_results_and_nothing_around_them() -> None:
    slow = replace(corpus()[2], slow_s=1.0)
    headers = {"hx-request": "true", "x-arcane-pieces": "1"}
    text = await read((corpus()[0], slow), **headers)
    pieces, mark, whole = text.rpartition("<!-- pieces -->")
    assert mark
    assert 'data-piece="row"' in pieces
    assert whole.strip().startswith('<div class="results" id="results"')
    assert "<html" not in text
    plain = await read((corpus()[0], slow), **{"hx-request": "true"})
    assert "data-piece" not in plain


async def test_an_answer_that_fails_says_so_behind_its_pieces() -> None:
    down = replace(corpus()[3], slow_s=0.3)
    text = await read((down,))
    assert "No datasource answered" in text
