"""Experiments on their way out: progress as events, results as lines."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

import msgspec
from pydantic import BaseModel

from arcane.datasets.files.guarded import guarded
from arcane.experiments.words import ExperimentView, ResultView
from arcane.kit.sse import frame

_AFTER = ("status", "output", "error", "latency_ms", "input_tokens", "output_tokens", "cost_usd")


async def frames_of(views: AsyncGenerator[Any, None], schema: type[BaseModel]) -> AsyncGenerator[bytes, None]:
    """Yields each view as an event."""
    async with aclosing(views) as open_views:
        async for view in open_views:
            yield frame("progress", schema.model_validate(view).model_dump_json())


async def as_jsonl(results: AsyncIterator[ResultView]) -> AsyncGenerator[bytes, None]:
    """Yields each result as a line of JSON."""
    async for result in results:
        yield msgspec.json.encode(result, enc_hook=str) + b"\n"


async def as_csv(view: ExperimentView, results: AsyncIterator[ResultView]) -> AsyncGenerator[bytes, None]:
    """Yields a header and each result as a line, with a mark by which spreadsheets know that it is UTF-8."""
    columns = [column["name"] for column in view.pinned["dataset"]["columns"]]
    yield b"\xef\xbb\xbf" + csv_line(["ordinal", *columns, *_AFTER])
    async for result in results:
        after = [getattr(result, name) for name in _AFTER]
        yield csv_line([result.ordinal, *(result.values.get(name) for name in columns), *after])


def csv_line(cells: list[Any]) -> bytes:
    """Returns cells as a line of CSV; a text that a spreadsheet would calculate begins with an apostrophe."""
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([_cell(one) for one in cells])
    return line.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping | list | tuple):
        value = msgspec.json.encode(value).decode()
    return guarded(value) if isinstance(value, str) else str(value)
