"""What a program does that asks a Jaeger or a Tempo by itself: the page that Arcane answers with, made of the standard
library.
"""

from __future__ import annotations

import json
from operator import itemgetter
from typing import Any

Row = dict[str, Any]
SHOWN = 3
ERROR = 2
_MILLISECOND = 1_000_000
_NO_ROOT = ("", "<root span not yet received>")


def page_of_jaeger(body: bytes, most: int) -> list[Row]:
    """Returns the newest traces of an answer of Jaeger's third API, with what a list shows of them."""
    traces: dict[str, list[tuple[int, str, str, Row]]] = {}
    for group in json.loads(body)["result"]["resourceSpans"]:
        service = _attribute(group["resource"], "service.name") or ""
        for part in group["scopeSpans"]:
            for span in part["spans"]:
                one = (int(span["startTimeUnixNano"]), span["spanId"], service, span)
                traces.setdefault(span["traceId"], []).append(one)
    for spans in traces.values():
        spans.sort(key=lambda one: one[:2])
    newest = sorted(traces.items(), key=lambda item: (item[1][0][0], item[0]), reverse=True)
    return [_row(trace_id, spans) for trace_id, spans in newest[:most]]


def _row(trace_id: str, spans: list[tuple[int, str, str, Row]]) -> Row:
    services: dict[str, Row] = {}
    errors = 0
    root: tuple[str | None, str | None] = (None, None)
    for _, _, service, span in spans:
        counts = services.setdefault(service, {"span_count": 0, "error_count": 0})
        counts["span_count"] += 1
        if span["status"].get("code") == ERROR:
            counts["error_count"] += 1
            errors += 1
        if root == (None, None) and "parentSpanId" not in span:
            root = (service, span["name"])
    return {
        "trace_id": trace_id,
        "duration_ns": max([int(one[3]["endTimeUnixNano"]) for one in spans]) - spans[0][0],
        "root_service": root[0],
        "root_name": root[1],
        "span_count": len(spans),
        "error_count": errors,
        "services": services,
        "spans": [{"span_id": one[1], "name": one[3]["name"], "service": one[2]} for one in spans[:SHOWN]],
    }


def page_of_tempo(body: bytes, most: int) -> list[Row]:
    """Returns the newest traces of an answer of Tempo's search, with what a list shows of them."""
    found = [
        (int(trace["startTimeUnixNano"]), _whole_id(trace["traceID"]), trace) for trace in json.loads(body)["traces"]
    ]
    found.sort(key=lambda one: one[:2], reverse=True)
    return [_tempo_row(trace_id, trace) for _, trace_id, trace in found[:most]]


def _tempo_row(trace_id: str, trace: Row) -> Row:
    spans: list[tuple[int, str, Row]] = []
    for found in trace["spanSets"]:
        spans += [(int(span["startTimeUnixNano"]), span["spanID"], span) for span in found["spans"]]
    spans.sort(key=itemgetter(0, 1))
    root: tuple[str | None, str | None] = (trace.get("rootServiceName", ""), trace.get("rootTraceName", ""))
    if root[0] in _NO_ROOT and root[1] in _NO_ROOT:
        root = (None, None)
    services = {
        name: {"span_count": stats["spanCount"], "error_count": stats.get("errorCount", 0)}
        for name, stats in trace.get("serviceStats", {}).items()
    }
    return {
        "trace_id": trace_id,
        "duration_ns": trace.get("durationMs", 0) * _MILLISECOND,
        "root_service": root[0],
        "root_name": root[1],
        "span_count": sum(one["span_count"] for one in services.values()),
        "error_count": sum(one["error_count"] for one in services.values()),
        "services": services,
        "spans": [
            {"span_id": span_id, "name": span["name"], "service": _attribute(span, "service.name")}
            for _, span_id, span in spans[:SHOWN]
        ],
    }


def _whole_id(text: str) -> str:
    """Returns the id with the zeros that Tempo cuts off."""
    return text.rjust(32, "0")


def _attribute(holder: Row, name: str) -> str | None:
    for pair in holder["attributes"]:
        if pair["key"] == name:
            return str(pair["value"]["stringValue"])
    return None


def same_page(rows: list[Row], answer: bytes) -> bool:
    """True when Arcane's answer lists the same."""
    items = json.loads(answer)["items"]
    spans = [
        [{name: span[name] for name in ("span_id", "name", "service")} for span in item["spans"]] for item in items
    ]
    told = [{name: item[name] for name in row} for row, item in zip(rows, items, strict=True)]
    return rows == [{**item, "spans": shown} for item, shown in zip(told, spans, strict=True)]
