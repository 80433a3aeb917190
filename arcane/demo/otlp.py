"""OTLP JSON lines as the OpenTelemetry collector's file exporter writes them (hex ids, 64-bit numbers as text)."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

BATCH_SPANS = 48
BATCH_GAP_NS = 5_000_000_000
_RESOURCE_SCHEMA = "https://opentelemetry.io/schemas/1.37.0"


@dataclass(frozen=True, slots=True)
class Record:
    """A span ready to be written, with the resource and scope it belongs to."""

    resource: str
    scope: tuple[str, str]
    end: int
    span: dict[str, object]


def any_value(value: object) -> dict[str, object]:
    """Returns a Python value as OTLP's AnyValue."""
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case bytes():
            return {"bytesValue": base64.b64encode(value).decode()}
        case list() | tuple():
            return {"arrayValue": {"values": [any_value(item) for item in value]}}
        case dict():
            return {"kvlistValue": {"values": key_values(value)}}
        case _:
            return {"stringValue": str(value)}


def key_values(attributes: dict[str, object]) -> list[dict[str, object]]:
    """Returns attributes as OTLP's list of key and value."""
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def batches(records: Iterable[Record], resources: dict[str, dict[str, object]]) -> list[tuple[int, bytes]]:
    """Returns (time of export, line) in order: spans leave when they end, grouped as the batch processor does."""
    lines: list[tuple[int, bytes]] = []
    batch: list[Record] = []
    for record in sorted(records, key=lambda record: (record.end, str(record.span["spanId"]))):
        if batch and (len(batch) == BATCH_SPANS or record.end - batch[0].end > BATCH_GAP_NS):
            lines.append((batch[-1].end, _line(batch, resources)))
            batch = []
        batch.append(record)
    if batch:
        lines.append((batch[-1].end, _line(batch, resources)))
    return lines


def _line(batch: Sequence[Record], resources: dict[str, dict[str, object]]) -> bytes:
    grouped: dict[str, dict[tuple[str, str], list[dict[str, object]]]] = {}
    for record in batch:
        grouped.setdefault(record.resource, {}).setdefault(record.scope, []).append(record.span)
    resource_spans = [
        {
            "resource": {"attributes": key_values(resources[name])},
            "scopeSpans": [
                {"scope": {"name": scope[0], "version": scope[1]} if scope[1] else {"name": scope[0]}, "spans": spans}
                for scope, spans in scopes.items()
            ],
            "schemaUrl": _RESOURCE_SCHEMA,
        }
        for name, scopes in grouped.items()
    ]
    return msgspec.json.encode({"resourceSpans": resource_spans}) + b"\n"


def write_rotated(folder: Path, lines: Sequence[tuple[int, bytes]], parts: int) -> list[Path]:
    """Writes `lines` over `parts` files as rotation leaves them: the newest is traces.jsonl, the oldest is gzipped."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in sorted(folder.glob("traces*.jsonl*")):
        stale.unlink()
    written: list[Path] = []
    for part in range(parts):
        chunk = lines[len(lines) * part // parts : len(lines) * (part + 1) // parts]
        body = b"".join(line for _, line in chunk)
        path = folder / "traces.jsonl"
        if part < parts - 1:
            moment = datetime.fromtimestamp(chunk[-1][0] // 1_000_000 / 1_000, tz=UTC)
            path = folder / f"traces-{moment:%Y-%m-%dT%H-%M-%S}.{moment.microsecond // 1000:03}.jsonl"
        if part == 0 and parts > 2:
            path, body = path.with_suffix(".jsonl.gz"), gzip.compress(body, mtime=0)
        path.write_bytes(body)
        written.append(path)
    return written
