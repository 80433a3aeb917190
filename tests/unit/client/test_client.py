"""A shell asks, reads the answer, and is told what went wrong in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console
from typer.testing import CliRunner

from arcane.cli.light import app
from arcane.client.asked import Asked, moment
from arcane.client.errors import ClientError, Exit, refused
from arcane.client.flow import Flow
from arcane.client.instance import Instance
from arcane.client.show import clean, duration, show_search
from arcane.client.show_plan import show_plan
from arcane.demo.generate import write_demo

NOW = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
PROJECT = "0198b2c4-2f5e-7c3a-9d51-2f1b1f0a7c11"
SOURCE = {
    "datasource_id": "a",
    "name": "tempo-prod",
    "kind": "tempo",
    "status": "ok",
    "rows": 1,
    "elapsed_ms": 1.0,
    "pushed": None,
    "residual": None,
    "warnings": [],
    "error": None,
}
DOWN = SOURCE | {
    "datasource_id": "b",
    "name": "tempo-eu",
    "status": "failed",
    "error": {"kind": "unreachable", "message": "No connection."},
}
HIT = {
    "trace_id": "ab" * 16,
    "start": "2026-08-01T11:59:59.000000001Z",
    "duration_ns": 2_500_000,
    "root_service": "shop\x1b[31m",
    "root_name": None,
    "span_count": 3,
    "error_count": None,
    "matched": 2,
    "datasources": ["a"],
}
ANSWER = {"items": [HIT], "next": "c", "complete": False, "sources": [SOURCE, DOWN]}


def instance(answer: Callable[[httpx.Request], httpx.Response]) -> Instance:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/api-keys/current":
            return httpx.Response(200, json={"project_id": PROJECT})
        return answer(request)

    return Instance.connect(httpx.Client(transport=httpx.MockTransport(handle), base_url="http://arcane.test"))


def shown(show: Callable[[Any, Console], None], answer: Any) -> str:
    out = StringIO()
    show(answer, Console(file=out, width=200, highlight=False, markup=False))
    return out.getvalue()


def test_a_question_is_asked_in_the_words_of_the_api() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if request.url.path.endswith("/datasources"):
            return httpx.Response(200, json={"items": [{"id": "id-1", "name": "tempo-prod"}], "next": None})
        return httpx.Response(200, json=ANSWER)

    asked = Asked("{ status = error }", "2h", "2026-08-01T00:00:00", ("tempo-prod",), 7)
    assert instance(answer).search(asked) == ANSWER
    assert seen[-1].url.path == f"/api/v1/projects/{PROJECT}/search"
    body = json.loads(seen[-1].content)
    assert body["datasources"] == ["id-1"]
    assert (body["query"], body["limit"], body["end"]) == ("{ status = error }", 7, "2026-08-01T00:00:00+00:00")
    instance(answer).explain(Asked("{}", sources=(PROJECT,)))
    assert json.loads(seen[-1].content)["datasources"] == [PROJECT]


def test_a_datasource_that_is_not_there_is_told_with_those_that_are() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"items": [{"id": "id-1", "name": "tempo-prod"}], "next": None})

    with pytest.raises(ClientError, match="there is no datasource x; there are: tempo-prod"):
        instance(answer).search(Asked("{}", sources=("x",)))


def test_a_refusal_points_at_its_place_and_names_what_failed() -> None:
    problem = {
        "detail": "unknown identifier `foo`",
        "hint": "text stands in double quotes",
        "position": {"line": 2, "column": 3, "length": 3},
        "sources": [{"name": "tempo-eu", "error": {"message": "No connection."}}, {"name": "x", "error": None}],
    }
    with pytest.raises(ClientError) as caught:
        instance(lambda _request: httpx.Response(400, json=problem)).search(Asked("{\n  foo }"))
    assert caught.value.code is Exit.REFUSED
    assert str(caught.value).splitlines() == [
        "unknown identifier `foo`; text stands in double quotes",
        "    foo }",
        "    ^^^",
        "  tempo-eu: No connection.",
    ]


@pytest.mark.parametrize(
    ("answer", "says", "code"),
    [
        (httpx.Response(401, json={"detail": "no"}), "does not accept the API key", Exit.REFUSED),
        (httpx.Response(200, text="<html>"), "not as Arcane does", Exit.UNREACHED),
        (httpx.Response(502, text="bad gateway"), "answers 502", Exit.UNREACHED),
        (httpx.ConnectError("refused"), "cannot reach http://arcane.test", Exit.UNREACHED),
        (httpx.ReadTimeout("slow"), "did not answer in time", Exit.UNREACHED),
        (httpx.InvalidURL("odd"), "is not an address", Exit.UNREACHED),
    ],
)
def test_what_goes_wrong_is_one_line_with_its_exit_code(answer: Any, says: str, code: Exit) -> None:
    def handle(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(ClientError, match=says) as caught:
        instance(handle).search(Asked("{}"))
    assert caught.value.code is code


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("30m", "2026-08-01T11:30:00+00:00"),
        ("7d", "2026-07-25T12:00:00+00:00"),
        ("2026-08-01T10:00:00+02:00", "2026-08-01T10:00:00+02:00"),
        ("2026-08-01", "2026-08-01T00:00:00+00:00"),
    ],
)
def test_times_are_how_long_ago_or_when(text: str, time: str) -> None:
    assert moment(text, NOW) == time


@pytest.mark.parametrize("text", ["yesterday", "1y", "-1h", "", "9" * 30 + "w"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ClientError):
        moment(text, NOW)


def test_the_table_shows_traces_and_what_is_missing() -> None:
    out = shown(show_search, ANSWER)
    assert "tempo-prod" in out
    assert "2.5ms" in out
    assert "tempo-eu: failed: No connection." in out
    assert "there may be more: ask again" in out
    assert "there are more: raise --limit" in shown(show_search, ANSWER | {"sources": [SOURCE]})
    assert "\x1b[31m" not in out, "a service's name must not colour the terminal"
    partial = {"items": [], "next": None, "sources": [SOURCE | {"status": "partial", "warnings": ["2 lines."]}]}
    assert shown(show_search, partial) == "no trace matches\ntempo-prod: partial: 2 lines.\n"


def test_the_plan_is_a_paragraph_for_each_datasource() -> None:
    kept = {"condition": "span.a = 1", "reason": "superset", "why": "the datasource answers more", "sent": "span.a = 1"}
    request = {"method": "GET", "target": "/api", "parameters": [{"name": "tag", "value": "a:1"}], "note": "once"}
    source = {
        "name": "jaeger",
        "kind": "jaeger",
        "steps": ["Ask.", "Keep."],
        "kept": [kept, kept | {"sent": None}],
        "requests": [request],
    }
    hint = {"hint": "most_recent=true", "effect": "Without effect."}
    plan = {"canonical": "{ span.a = 1 }", "scope": 'span.team = "x"', "hints": [hint], "sources": [source]}
    out = shown(show_plan, plan)
    assert out.startswith('{ span.a = 1 }\nin this project always also: span.team = "x"\n')
    assert "with(most_recent=true): Without effect.\n" in out
    assert "  1. Ask.\n  2. Keep.\n" in out
    assert "It is asked for span.a = 1 instead." in out
    assert out.endswith("\n  GET /api\n    tag a:1\n    once\n")


def test_what_would_steer_a_terminal_is_taken_out() -> None:
    assert clean("a\x1b[2J\tb\u202ec\n") == "a\ufffd[2J b\ufffdc "


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0ns"),
        (999, "999ns"),
        (1_500, "1.5µs"),
        (46_000_000, "46ms"),
        (2_070_000_000, "2.07s"),
        (4 * 10**12, "4000s"),
    ],
)
def test_durations_have_the_unit_that_suits_them(nanoseconds: int, text: str) -> None:
    assert duration(nanoseconds) == text


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder, end=int(NOW.timestamp()) * 1_000_000_000)
    return folder


def run(*words: str, **environment: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words), env=environment)
    return result.exit_code, result.stdout, result.stderr


def test_a_place_is_pointed_at_below_tabs_and_after_what_only_looks_like_a_line_end() -> None:
    position = {"line": 2, "column": 12, "length": 3}
    error = refused({"detail": "no", "position": position}, '{ .a = "\x0c\u2028" &&\n\t.b = "\u2028" foo }')
    assert str(error).split("\n")[2] == "  \t          ^^^"


def test_a_part_that_is_wrong_is_named_with_what_is_wrong_about_it() -> None:
    errors = [{"pointer": "#/path/evaluation_id", "detail": "Input should be a valid UUID"}]
    assert str(refused({"detail": "1 part(s)", "errors": errors})).split("\n") == [
        "1 part(s)",
        "  path.evaluation_id: Input should be a valid UUID",
    ]


def test_an_address_that_is_none_is_told_in_one_line() -> None:
    code, _, err = run("query", "{}", "--url", "http://[::1", "--api-key", "sk-arcane-x")
    assert (code, err.count("\n")) == (Exit.UNREACHED, 1)
    assert err.startswith("arcane: http://[::1 is not an address")


def test_files_are_asked_without_an_instance(demo: Path) -> None:
    code, out, _ = run("query", "--file", str(demo / "*" / "*.jsonl"), "{ status = error }", "--json", "--limit", "3")
    answer = json.loads(out)
    assert (code, len(answer["items"]), answer["complete"]) == (0, 3, True)
    assert answer["sources"][0]["kind"] == "otlp_file"
    files = sorted(map(str, demo.glob("*/*.jsonl")))
    code, table, _ = run("query", "--file", *files, "{ status = error }", "--limit", "1")
    assert code == 0
    assert answer["items"][0]["trace_id"] in table
    day = ("--since", "2026-07-31T12:00:00Z", "--until", "2026-07-31T12:00:01Z")
    code, out, _ = run("query", "--file", str(demo / "*" / "*.jsonl"), "{}", *day)
    assert (code, out) == (0, "no trace matches\n")
    assert run("query", "--file", files[0], "{}", "--since", "1h", "--until", "2h")[0] == Exit.REFUSED


def test_files_are_explained_without_an_instance(demo: Path) -> None:
    code, out, _ = run("explain", "--file", str(demo), "{ status = error }")
    assert code == 0
    assert "1. Ask for the traces that match { status = error }" in out
    assert "  READ index of the files\n    filter { status = error }\n" in out


def test_a_metrics_query_is_explained_by_the_same_command(demo: Path) -> None:
    asked = ("explain", "--file", str(demo), "{ status = error } | rate() | topk(3)", "--step", "1h")
    code, out, _ = run(*asked)
    assert code == 0
    assert "  { status = error } | rate() is measured here: the datasource does not measure this" in out
    assert "1. Ask for the traces that match { status = error }" in out
    assert "Measure their spans here: { status = error } | rate(), in 25 points of 1h each." in out
    assert out.endswith("  1. Add up what was measured in all datasources.\n  2. Of the series, keep topk(3).\n")
    assert run(*asked[:-1], "soon")[0] == Exit.REFUSED


def test_a_metrics_query_is_explained_by_the_instance_where_metrics_are() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    instance(answer).explain(Asked("{ } | rate()", step="5m"))
    assert seen[-1].url.path.endswith("/metrics/explain")
    assert json.loads(seen[-1].content)["step"] == "5m"
    instance(answer).explain(Asked("{ } | rate("))
    assert seen[-1].url.path.endswith("/search/explain"), "what is no query is refused there"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("query", "{"), Exit.REFUSED, "there is no API key"),
        (("query", "{", "--api-key", "ü"), Exit.REFUSED, "characters that no key has"),
        (("query", "{", "}"), 2, "the query is one word"),
        (("query", "--file", "/nowhere", "{}"), Exit.UNREACHED, "there is no /nowhere"),
        (("query", "{}", "--url", "http://127.0.0.1:1", "--api-key", "k"), Exit.UNREACHED, "cannot reach"),
        (("query", "{}", "--url", "nonsense", "--api-key", "k"), Exit.UNREACHED, "arcane: "),
    ],
)
def test_the_exit_code_says_what_went_wrong(words: tuple[str, ...], code: int, says: str) -> None:
    found, _, err = run(*words, ARCANE_API_KEY="")
    assert found == code
    assert says in err


def test_a_bad_query_over_files_points_at_its_place(demo: Path) -> None:
    code, _, err = run("query", "--file", str(demo), "{ stauts = error }")
    assert code == Exit.REFUSED
    assert err.splitlines()[1:] == ["  { stauts = error }", "    ^^^^^^"]


def test_every_trace_of_files_comes_a_line_at_a_time(demo: Path) -> None:
    files = ("--file", str(demo / "*" / "*.jsonl"))
    code, out, _ = run("query", *files, "{}", "--all")
    lines = out.splitlines()
    assert code == 0
    assert len(lines) > 400, "many pages, and no limit is named"
    starts = [line[:23] for line in lines]
    assert starts == sorted(starts, reverse=True)
    assert len({line.split()[-1] for line in lines}) == len(lines)
    code, out, _ = run("query", *files, "{} >> { status = error }", "--all", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert (code, events[-1]["event"], events[-1]["ending"]) == (0, "end", "range")
    assert run("query", *files, "{ status = }", "--all")[0] == Exit.REFUSED
    code, out, _ = run("query", *files, "{}", "--all", "--limit", "3")
    assert (code, len(out.splitlines())) == (0, 3)


def flow(*events: dict[str, Any]) -> tuple[Flow, str]:
    out, aside = StringIO(), StringIO()
    shown_here = Flow(out, aside, as_json=False, query="{}")
    for event in events:
        shown_here.take(json.dumps(event))
    return shown_here, aside.getvalue()


def test_a_stream_says_at_its_end_what_is_missing() -> None:
    failed = SOURCE | {"status": "failed", "error": {"message": "No connection."}}
    end = {"event": "end", "complete": False, "ending": "fault", "sources": [failed]}
    shown_here, aside = flow(end)
    assert not shown_here.is_complete()
    assert "failed: No connection." in aside
    shown_here, aside = flow(end | {"complete": True, "ending": "bound", "sources": []})
    assert not shown_here.is_complete()
    assert "a bound of the instance" in aside


def test_a_stream_that_breaks_off_is_no_answer() -> None:
    with pytest.raises(ClientError, match="broke off"):
        flow()[0].is_complete()
    with pytest.raises(ClientError):
        flow({"event": "problem", "problem": {"title": "All datasources failed", "status": 502, "detail": "no"}})
