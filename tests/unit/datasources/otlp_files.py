"""What the tests of the file adapter write and ask."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import zstandard

from arcane.model.time import TimeRange
from arcane.model.trace import Trace
from arcane.spi import ScanPage, ScanRequest, encode_json
from arcane.spi.testing import corpus, scan_all
from datasources.otlp_file.adapter import OtlpFileAdapter

TRACES = corpus()
WHOLE = TimeRange(TRACES[0].start, TRACES[-1].end)
LARGE = 256 * 1024 * 1024
COLLECTOR_HEAD = zstandard.ZstdCompressor(write_content_size=True)


def line(trace: Trace) -> bytes:
    return b"".join(encode_json(trace.spans)) + b"\n"


def lines(traces: Sequence[Trace]) -> bytes:
    return b"".join(map(line, traces))


def framed(traces: Sequence[Trace]) -> bytes:
    frames = [COLLECTOR_HEAD.compress(line(trace).rstrip()) for trace in traces]
    return b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)


def adapter_of(pattern: str, root: Path, max_index_bytes: int = LARGE) -> OtlpFileAdapter:
    return OtlpFileAdapter(pattern, (root,), max_index_bytes, relook_s=0)


async def everything(adapter: OtlpFileAdapter) -> ScanPage:
    return await scan_all(adapter, ScanRequest(WHOLE, limit=1_000))


def assert_has(answer: ScanPage, traces: Sequence[Trace]) -> None:
    assert {one.trace_id for one in answer.candidates} == {trace.trace_id for trace in traces}
    spans = {trace.trace_id: trace.spans for trace in traces}
    for candidate in answer.candidates:
        assert candidate.trace is not None
        assert candidate.trace.spans == spans[candidate.trace_id]
