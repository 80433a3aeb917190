"""Files that grow, are rotated, packed, damaged, too many, or somewhere else."""

from __future__ import annotations

import gzip
import shutil
import time
from pathlib import Path

import anyio
import pytest
import zstandard

from arcane.model.time import TimeRange
from arcane.spi import (
    AttributeQuery,
    Deadline,
    Field,
    ScanRequest,
    Scope,
    TimedOut,
    encode_json,
)
from arcane.spi.testing import corpus, scan_all
from arcane.traceql.parse import parse
from tests.unit.datasources.otlp_files import (
    TRACES,
    WHOLE,
    adapter_of,
    assert_has,
    everything,
    framed,
    line,
    lines,
)

pytestmark = pytest.mark.anyio


async def test_appends_are_followed(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    adapter = adapter_of("t.jsonl", tmp_path)
    with file.open("wb") as out:
        for end in (1, 5, 6, 30):
            out.write(lines(TRACES[:end])[out.tell() :])
            out.flush()
            assert_has(await everything(adapter), TRACES[:end])


async def test_an_append_in_the_middle_of_a_line_waits_for_its_end(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    content = lines(TRACES[:2])
    cut = len(line(TRACES[0])) + 200
    file.write_bytes(content[:cut])
    adapter = adapter_of("t.jsonl", tmp_path)
    first = await everything(adapter)
    assert_has(first, TRACES[:1])
    assert first.warnings == ()
    with file.open("ab") as out:
        out.write(content[cut:])
    assert_has(await everything(adapter), TRACES[:2])


async def test_a_last_line_without_its_end_counts_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_bytes(lines(TRACES[:2]).rstrip(b"\n"))
    adapter = adapter_of("t.jsonl", tmp_path)
    assert_has(await everything(adapter), TRACES[:2])
    with file.open("ab") as out:
        out.write(b"\n" + line(TRACES[2]))
    answer = await everything(adapter)
    assert_has(answer, TRACES[:3])
    assert answer.warnings == ()


async def test_a_trace_that_comes_in_pieces_is_one(tmp_path: Path) -> None:
    trace = TRACES[19]
    file = tmp_path / "t.jsonl"
    adapter = adapter_of("t.jsonl", tmp_path)
    with file.open("wb") as out:
        for span in trace.spans[::-1]:
            out.write(b"".join(encode_json([span])) + b"\n")
            if span.start % 7 == 0:
                out.flush()
                await everything(adapter)
    assert_has(await everything(adapter), [trace])


async def test_a_renamed_file_is_not_read_again_and_the_new_one_is(tmp_path: Path) -> None:
    file = tmp_path / "traces.json"
    file.write_bytes(lines(TRACES[:5]))
    adapter = adapter_of(".", tmp_path)
    await everything(adapter)
    file.rename(tmp_path / "traces-2026-11-21T05-00-00.000.json")
    file.write_bytes(lines(TRACES[5:9]))
    assert_has(await everything(adapter), TRACES[:9])


async def test_what_was_rotated_away_from_a_single_path_stays_searchable(tmp_path: Path) -> None:
    file = tmp_path / "traces.json"
    file.write_bytes(lines(TRACES[:5]))
    adapter = adapter_of("traces.json", tmp_path)
    await everything(adapter)
    file.rename(tmp_path / "traces.json.1")
    file.write_bytes(lines(TRACES[5:9]))
    assert_has(await everything(adapter), TRACES[:9])


async def test_a_file_that_was_emptied_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "traces.json"
    file.write_bytes(lines(TRACES[:5]))
    adapter = adapter_of("traces.json", tmp_path)
    await everything(adapter)
    with file.open("r+b") as out:
        out.truncate(0)
        out.write(line(TRACES[7]))
    assert_has(await everything(adapter), [*TRACES[:5], TRACES[7]])


async def test_a_file_that_was_rewritten_and_is_longer_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "traces.json"
    file.write_bytes(b'{"resourceLogs":[]}\n' + line(TRACES[0]))
    adapter = adapter_of("traces.json", tmp_path)
    assert_has(await everything(adapter), TRACES[:1])
    file.write_bytes(lines(TRACES[:9]))
    assert_has(await everything(adapter), TRACES[:9])


async def test_a_rewritten_file_of_the_same_program_is_read_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "traces.json"
    alike = [trace for trace in TRACES if line(trace)[:80] == line(TRACES[0])[:80]]
    assert len(alike) > 3
    file.write_bytes(lines(alike[:1]))
    adapter = adapter_of("traces.json", tmp_path)
    assert_has(await everything(adapter), alike[:1])
    file.write_bytes(lines(alike[1:]))  # as `copytruncate` leaves it, when it has grown past where it was
    assert_has(await everything(adapter), alike)


async def test_a_rotated_file_that_is_packed_before_it_is_deleted_stays_searchable(tmp_path: Path) -> None:
    plain = tmp_path / "traces-1.jsonl"
    plain.write_bytes(lines(TRACES[:5]))
    adapter = adapter_of(".", tmp_path)
    await everything(adapter)
    (tmp_path / "traces-1.jsonl.gz").write_bytes(gzip.compress(lines(TRACES[:5])))
    assert_has(await everything(adapter), TRACES[:5])
    plain.unlink()
    assert_has(await everything(adapter), TRACES[:5])
    (tmp_path / "traces-1.jsonl.gz").unlink()
    assert (await everything(adapter)).candidates == ()


async def test_deleting_a_file_forgets_its_traces(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(TRACES[:5]))
    (tmp_path / "b.jsonl").write_bytes(lines(TRACES[3:9]))
    adapter = adapter_of("*.jsonl", tmp_path)
    assert_has(await everything(adapter), TRACES[:9])
    (tmp_path / "a.jsonl").unlink()
    # What both files held came from whichever was read first, and is kept either way.
    found = {one.trace_id for one in (await everything(adapter)).candidates}
    assert found >= {trace.trace_id for trace in TRACES[5:9]}
    assert found.isdisjoint({trace.trace_id for trace in TRACES[:3]})


@pytest.mark.parametrize("name", ["traces.json.gz", "traces.json"])
async def test_gzip_is_told_by_its_content_and_members_may_be_appended(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(gzip.compress(lines(TRACES[:5])))
    adapter = adapter_of(name, tmp_path)
    assert_has(await everything(adapter), TRACES[:5])
    with file.open("ab") as out:
        out.write(gzip.compress(lines(TRACES[5:9])))
    assert_has(await everything(adapter), TRACES[:9])


async def test_zstd_is_read_and_frames_may_be_appended(tmp_path: Path) -> None:
    file = tmp_path / "traces.jsonl.zst"
    file.write_bytes(zstandard.compress(lines(TRACES[:5])))
    adapter = adapter_of(".", tmp_path)
    assert_has(await everything(adapter), TRACES[:5])
    with file.open("ab") as out:
        out.write(zstandard.compress(lines(TRACES[5:9])))
    assert_has(await everything(adapter), TRACES[:9])


async def test_the_collectors_own_compression_is_read_and_followed(tmp_path: Path) -> None:
    file = tmp_path / "traces"
    content = framed(TRACES[:9])
    cut = len(framed(TRACES[:4])) + 10
    file.write_bytes(content[:cut])
    adapter = adapter_of("traces", tmp_path)
    assert_has(await everything(adapter), TRACES[:4])
    with file.open("ab") as out:
        out.write(content[cut:])
    assert_has(await everything(adapter), TRACES[:9])


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(lines(TRACES[:5])) + b"damaged" * 9,
        zstandard.compress(lines(TRACES[:5])) + b"damaged" * 9,
        framed(TRACES[:1]) + b"\xff\xff\xff\xff" + b"x" * 100,
        framed(TRACES[:1]) + (8).to_bytes(4, "big") + b"\x28\xb5\x2f\xfdabcd",
    ],
    ids=["gzip", "zstd", "length", "frame"],
)
async def test_a_damaged_file_is_named_and_costs_only_itself(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    (tmp_path / "good.json").write_bytes(lines(TRACES[9:12]))
    answer = await everything(adapter_of(".", tmp_path))
    assert {one.trace_id for one in answer.candidates} >= {trace.trace_id for trace in TRACES[9:12]}
    assert any("bad.json" in warning and "damaged" in warning for warning in answer.warnings)


@pytest.mark.parametrize(
    "packed",
    [gzip.compress(lines(TRACES), compresslevel=0), zstandard.compress(lines(TRACES)) + zstandard.compress(b"{}\n")],
    ids=["gzip", "zstd"],
)
async def test_a_packed_file_that_is_cut_is_read_as_far_as_it_goes_until_it_has_its_end(
    tmp_path: Path, packed: bytes
) -> None:
    (tmp_path / "t.packed").write_bytes(packed[:-3])
    adapter = adapter_of("t.packed", tmp_path)
    answer = await everything(adapter)
    assert answer.candidates
    assert answer.warnings == ("t.packed: The compressed file ends in the middle.",)
    (tmp_path / "t.packed").write_bytes(packed)
    whole = await everything(adapter)
    assert_has(whole, TRACES)
    assert whole.warnings == ()


async def test_bad_lines_are_counted_and_told_and_the_rest_is_read(tmp_path: Path) -> None:
    content = (
        line(TRACES[0]) + b"not json\n\n" + b'{"resourceMetrics":[]}\n' + b'{"resourceSpans":5}\n' + line(TRACES[1])
    )
    (tmp_path / "t.jsonl").write_bytes(content)
    adapter = adapter_of("t.jsonl", tmp_path)
    answer = await everything(adapter)
    assert_has(answer, TRACES[:2])
    assert answer.warnings == ("2 lines are not OTLP JSON in t.jsonl, the first is line 2.",)
    assert answer.warnings[0] in (await adapter.check(Deadline.after(5))).findings


async def test_over_its_bound_the_index_drops_the_oldest_and_says_so(tmp_path: Path) -> None:
    content = lines(TRACES)
    (tmp_path / "t.jsonl").write_bytes(content)
    adapter = adapter_of("t.jsonl", tmp_path, max_index_bytes=len(content))
    answer = await everything(adapter)
    kept = len(answer.candidates)
    assert 0 < kept < len(TRACES)
    assert_has(answer, TRACES[-kept:])
    assert "index is full" in answer.warnings[0]
    recent = await scan_all(adapter, ScanRequest(TimeRange(TRACES[-3].start, WHOLE.end), limit=10))
    assert recent.warnings == ()
    assert any("index is full" in finding for finding in (await adapter.check(Deadline.after(5))).findings)


async def test_the_rest_of_a_dropped_trace_does_not_come_back_as_a_fragment(tmp_path: Path) -> None:
    old, rest = TRACES[19], TRACES[20:50]
    file = tmp_path / "t.jsonl"
    file.write_bytes(b"".join(encode_json(old.spans[:-1])) + b"\n" + lines(rest))
    adapter = adapter_of("t.jsonl", tmp_path, max_index_bytes=len(lines(rest)) // 2)
    await everything(adapter)
    assert await adapter.get_trace(old.trace_id, None, Deadline.after(5)) is None
    with file.open("ab") as out:
        out.write(b"".join(encode_json(old.spans[-1:])) + b"\n")
    assert await adapter.get_trace(old.trace_id, None, Deadline.after(5)) is None


async def test_the_loop_keeps_turning_while_a_large_file_is_read_and_searched(tmp_path: Path) -> None:
    traces = corpus(count=2_000)
    (tmp_path / "t.jsonl").write_bytes(lines(traces))
    adapter = adapter_of("t.jsonl", tmp_path)
    query = parse("{ span.k >= 0 && span.nothing = 1 }").filter
    assert query is not None
    pauses: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await anyio.sleep(0.001)
            pauses.append(time.perf_counter() - began)

    async with anyio.create_task_group() as group:
        group.start_soon(beat)
        whole = TimeRange(traces[0].start, traces[-1].end)
        await scan_all(adapter, ScanRequest(whole, limit=10, filter=query))
        group.cancel_scope.cancel()
    assert len(pauses) > 20  # a second or more of work, and none of it in one piece
    assert sorted(pauses)[len(pauses) // 2] < 0.05


async def test_a_request_that_runs_out_of_time_never_pretends_and_loses_nothing(tmp_path: Path) -> None:
    traces = corpus(count=3_000)
    (tmp_path / "t.jsonl").write_bytes(lines(traces))
    adapter = adapter_of("t.jsonl", tmp_path)
    request = ScanRequest(TimeRange(traces[0].start, traces[-1].end), limit=10_000)
    told = 0
    for _ in range(3):
        try:
            answer = await scan_all(adapter, request, Deadline.after(0.15))
        except TimedOut:
            told += 1
        else:
            told += len(answer.candidates) == len(traces) or "still being read" in answer.warnings[0]
    assert told == 3
    assert_has(await scan_all(adapter, request), traces)


async def test_without_time_for_a_look_there_is_no_answer_that_pretends_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_bytes(line(TRACES[0]))
    with pytest.raises(TimedOut):
        await scan_all(adapter_of("t.jsonl", tmp_path), ScanRequest(WHOLE, limit=1), Deadline.after(0))


async def test_a_cancelled_request_loses_nothing_that_it_read(tmp_path: Path) -> None:
    traces = corpus(count=500)
    (tmp_path / "t.jsonl").write_bytes(lines(traces))
    adapter = adapter_of("t.jsonl", tmp_path)
    request = ScanRequest(TimeRange(traces[0].start, traces[-1].end), limit=10_000)
    for _ in range(20):
        with anyio.move_on_after(0.004):
            await scan_all(adapter, request)
    assert_has(await scan_all(adapter, request), traces)


async def test_a_small_search_in_500_traces_takes_milliseconds(tmp_path: Path) -> None:
    traces = corpus(count=500)
    (tmp_path / "t.jsonl").write_bytes(lines(traces))
    adapter = adapter_of("t.jsonl", tmp_path)
    query = parse('{ resource.service.name = "shop" && status = error }').filter
    assert query is not None
    request = ScanRequest(TimeRange(traces[0].start, traces[-1].end), 50, query)
    await scan_all(adapter, request)
    began = time.perf_counter()
    for _ in range(5):
        await scan_all(adapter, request)
    assert (time.perf_counter() - began) / 5 < 0.1  # some 5 ms; a busy machine is forgiven


async def test_completion_counts_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_bytes(lines(TRACES))
    adapter = adapter_of("t.jsonl", tmp_path)
    services = await adapter.attribute_values(
        Field(Scope.RESOURCE, "service.name"), AttributeQuery(WHOLE), Deadline.after(5)
    )
    wanted = sum(span.service_name == "shop" for trace in TRACES for span in trace.spans)
    assert {value.value: value.count for value in services}["shop"] == wanted


async def test_closing_closes_the_files(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_bytes(lines(corpus(count=2_000)))
    adapter = adapter_of("t.jsonl", tmp_path)
    with anyio.move_on_after(0.02):
        await everything(adapter)
    await adapter.aclose()
    shutil.rmtree(tmp_path)
