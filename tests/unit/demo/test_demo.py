"""The demo is the same for a seed, shaped as OTLP, and truth.json says what its files hold."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arcane.demo.generate import DEFAULT_END, write_demo
from arcane.demo.schedule import DAY
from arcane.demo.truth import Truth

CONVERSATION_KEYS = (
    "gen_ai.conversation.id",
    "session.id",
    "traceloop.association.properties.session_id",
    "ai.telemetry.metadata.sessionId",
)
DIALECT_OF_SCOPE = {
    "shop.agents": "otel_genai",
    "opentelemetry.instrumentation.openai_v2": "otel_genai",
    "openinference.instrumentation.langchain": "openinference",
    "openinference.instrumentation.openai": "openinference",
    "traceloop.tracer": "openllmetry",
    "opentelemetry.instrumentation.anthropic": "openllmetry",
    "ai": "vercel_ai",
    "pydantic-ai": "pydantic_ai",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("demo")
    return folder, write_demo(folder)


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    body = path.read_bytes()
    text = gzip.decompress(body) if path.suffix == ".gz" else body
    for line in text.splitlines():
        yield json.loads(line)


def spans_of(folder: Path) -> Iterator[dict[str, Any]]:
    """Every span of the written files, with where it came from; attributes as plain values."""
    for path in sorted(folder.glob("*/traces*.jsonl*")):
        for line in lines_of(path):
            for of_resource in line["resourceSpans"]:
                resource = plain(of_resource["resource"]["attributes"])
                for of_scope in of_resource["scopeSpans"]:
                    for span in of_scope["spans"]:
                        yield span | {
                            "folder": path.parent.name,
                            "resource": resource,
                            "scope": of_scope["scope"]["name"],
                            "plain": plain(span["attributes"]),
                        }


def plain(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    found = {}
    for pair in attributes:
        ((kind, value),) = pair["value"].items()
        found[pair["key"]] = int(value) if kind == "intValue" else value
    return found


def test_same_seed_and_end_give_the_same_bytes(demo: tuple[Path, Truth], tmp_path: Path) -> None:
    folder, _ = demo
    write_demo(tmp_path)
    first = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    second = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert first == second


def test_another_seed_gives_another_demo(demo: tuple[Path, Truth], tmp_path: Path) -> None:
    assert write_demo(tmp_path, seed=8).traces.keys().isdisjoint(demo[1].traces)


def test_a_second_run_replaces_the_files_of_the_first(tmp_path: Path) -> None:
    write_demo(tmp_path)
    truth = write_demo(tmp_path, end=DEFAULT_END + DAY)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*")} == set(truth.files)


def test_the_day_ends_at_the_end_that_was_asked_for(tmp_path: Path) -> None:
    end = 1_800_000_000_123_456_789
    truth = write_demo(tmp_path, end=end)
    assert end - DAY <= truth.start
    assert end - DAY // 24 // 12 < truth.end <= end  # something happened in the last five minutes


def test_the_issue_gets_the_counts_it_asks_for(demo: tuple[Path, Truth]) -> None:
    truth = demo[1]
    assert (truth.total.traces, truth.total.error_traces) == (500, 40)
    assert (len(truth.agents), len(truth.conversations), len(truth.users)) == (12, 40, 5)
    assert set(truth.environments) == {"production", "staging"}
    assert len(truth.dialects) == 5
    assert truth.traces[truth.large_trace].spans == 5_000
    assert truth.traces[truth.large_trace].error_spans > 0
    assert 0 < truth.traces_in_two_folders < 500


def test_truth_json_is_what_was_returned(demo: tuple[Path, Truth]) -> None:
    folder, truth = demo
    written = json.loads((folder / "truth.json").read_bytes())
    assert written["total"]["spans"] == truth.total.spans
    assert written["traces"][truth.large_trace]["spans"] == 5_000


def test_files_hold_the_lines_that_truth_says(demo: tuple[Path, Truth]) -> None:
    folder, truth = demo
    counted = {
        str(path.relative_to(folder)): {"lines": sum(1 for _ in lines_of(path)), "bytes": path.stat().st_size}
        for path in folder.glob("*/*")
    }
    assert counted == truth.files
    assert sum(name.endswith(".gz") for name in counted) == 1


def test_truth_counts_what_the_files_hold(demo: tuple[Path, Truth]) -> None:
    folder, truth = demo
    spans: dict[str, set[str]] = defaultdict(set)
    failed: dict[str, int] = defaultdict(int)
    folders: dict[str, set[str]] = defaultdict(set)
    where: dict[str, dict[str, set[str]]] = {
        name: defaultdict(set) for name in ("environment", "service", "conversation", "user", "dialect")
    }
    links = exceptions = 0
    for span in spans_of(folder):
        trace_id = span["traceId"]
        assert span["spanId"] not in spans[trace_id]
        spans[trace_id].add(span["spanId"])
        failed[trace_id] += span["status"].get("code") == 2
        folders[trace_id].add(span["folder"])
        where["environment"][span["resource"]["deployment.environment.name"]].add(trace_id)
        where["service"][span["resource"]["service.name"]].add(trace_id)
        if dialect := DIALECT_OF_SCOPE.get(span["scope"]):
            where["dialect"][dialect].add(trace_id)
        for key in CONVERSATION_KEYS:
            if key in span["plain"]:
                where["conversation"][span["plain"][key]].add(trace_id)
        if span["scope"] == "otelhttp" and "user.id" in span["plain"]:
            where["user"][span["plain"]["user.id"]].add(trace_id)
        links += len(span.get("links", ()))
        exceptions += sum(event["name"] == "exception" for event in span.get("events", ()))
    assert {trace_id: len(ids) for trace_id, ids in spans.items()} == {
        trace_id: tally.spans for trace_id, tally in truth.traces.items()
    }
    assert dict(failed) == {trace_id: tally.error_spans for trace_id, tally in truth.traces.items()}
    assert sum(len(names) > 1 for names in folders.values()) == truth.traces_in_two_folders
    assert (links, exceptions) == (truth.links, truth.exceptions)
    for name, tallies in (
        ("environment", truth.environments),
        ("service", truth.services),
        ("conversation", truth.conversations),
        ("user", truth.users),
        ("dialect", truth.dialects),
    ):
        assert {key: len(ids) for key, ids in where[name].items()} == {
            key: tally.traces for key, tally in tallies.items()
        }, name


def test_one_trace_lacks_its_root_and_every_other_parent_is_there(demo: tuple[Path, Truth]) -> None:
    folder, truth = demo
    ids: dict[str, set[str]] = defaultdict(set)
    parents: dict[str, set[str]] = defaultdict(set)
    for span in spans_of(folder):
        ids[span["traceId"]].add(span["spanId"])
        parents[span["traceId"]].add(span["parentSpanId"])
    orphaned = {trace_id for trace_id in ids if parents[trace_id] - ids[trace_id] - {""}}
    assert orphaned == {truth.rootless_trace}
    assert {trace_id for trace_id in ids if "" not in parents[trace_id]} == {truth.rootless_trace}


def test_spans_are_spelled_as_the_collector_spells_them(demo: tuple[Path, Truth]) -> None:
    for span in spans_of(demo[0]):
        assert len(span["traceId"]) == 32
        assert len(span["spanId"]) == 16
        assert isinstance(span["startTimeUnixNano"], str)
        assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])


def test_children_lie_within_the_time_of_their_parents_except_queued_work(demo: tuple[Path, Truth]) -> None:
    by_id = {(span["traceId"], span["spanId"]): span for span in spans_of(demo[0])}
    for span in by_id.values():
        parent = by_id.get((span["traceId"], span["parentSpanId"]))
        if parent is None or span["kind"] == 5:
            continue
        assert int(parent["startTimeUnixNano"]) <= int(span["startTimeUnixNano"])
        assert int(span["endTimeUnixNano"]) <= int(parent["endTimeUnixNano"])


def test_no_slot_of_a_story_is_left_open(demo: tuple[Path, Truth]) -> None:
    for path in demo[0].glob("*/*"):
        for line in lines_of(path):
            text = json.dumps(line)
            for slot in ("{order}", "{product}", "{topic}", "{symbol}", "{percent}"):
                assert slot not in text


def test_some_ids_begin_with_zeros(demo: tuple[Path, Truth]) -> None:
    assert any(trace_id.startswith("00") for trace_id in demo[1].traces)
