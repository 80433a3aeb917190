"""Checking a datasource from a shell: what answers with these settings, without storing anything."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from arcane.catalog.connection import ConnectionTest, tested
from arcane.catalog.editing import check_address, configured
from arcane.catalog.health import HealthRecord
from arcane.catalog.observed import ObservedAdapter
from arcane.catalog.pool import AdapterMaker
from arcane.catalog.problems import InvalidDatasource
from arcane.catalog.registry import Registry
from arcane.kit.egress import Egress
from arcane.local.errors import LocalError
from arcane.model.deadline import Deadline
from arcane.settings import Settings
from arcane.spi.conformance import Requirement, conformance
from arcane.spi.errors import DatasourceError


async def check_datasource(settings: Settings, kind: str, entered: Mapping[str, Any]) -> ConnectionTest:
    """Returns what a test of this datasource finds. Raises LocalError when the settings do not fit the kind."""
    try:
        adapter = _adapter(settings, kind, entered)
    except DatasourceError as exc:
        return ConnectionTest.failed(exc)
    return await tested(adapter, Deadline.after(settings.limits.connection_test_s))


async def check_conformance(
    settings: Settings, kind: str, entered: Mapping[str, Any], say: Callable[[str], None]
) -> bool:
    """Says of each requirement whether the datasource keeps it; returns False where one is not kept."""
    adapter = _adapter(settings, kind, entered)
    deadline = Deadline.after(settings.limits.conformance_s)
    failed = 0
    try:
        async with aclosing(conformance(adapter, time.time_ns(), deadline)) as requirements:
            async for one in requirements:
                failed += one.passed is False
                say(_line(one))
    finally:
        await adapter.aclose()
    say(f"{failed} requirements are not kept" if failed else "every requirement that could be tried is kept")
    return not failed


def _line(one: Requirement) -> str:
    if one.passed:
        return f"kept      {one.sentence}"
    return f"{'not tried' if one.passed is None else 'NOT KEPT '} {one.sentence} {one.advice}"


def _adapter(settings: Settings, kind: str, entered: Mapping[str, Any]) -> ObservedAdapter:
    """Returns an adapter of its own; raises LocalError, and DatasourceError where it cannot be made."""
    registry = Registry.load()
    plugin = registry.plugin(kind)
    if plugin is None:
        known = ", ".join(found.kind for found in registry.kinds if found.available)
        raise LocalError(f"{registry.why_not(kind)}; there are: {known}")
    maker = AdapterMaker(Egress(settings.egress, settings.limits), settings.files)
    try:
        made = configured(plugin, entered)
        check_address(plugin, made, maker.egress)
        return maker.make(plugin, made.model, HealthRecord())
    except InvalidDatasource as exc:
        faults = (f"{fault.pointer.removeprefix('#/settings/')}: {fault.detail}" for fault in exc.errors)
        raise LocalError("; ".join(faults)) from exc


def entered_settings(pairs: Sequence[str]) -> dict[str, Any]:
    """Returns what `--set name=value` pairs say; a value is JSON where it can be, else text. Raises LocalError."""
    entered: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise LocalError(f"--set {pair}: say name=value")
        *path, last = name.split(".")
        place = entered
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise LocalError(f"--set {pair}: {part} has a value already")
        place[last] = _value(text)
    return entered


def report(test: ConnectionTest) -> Iterator[str]:
    """Yields the lines that tell a person what a test found."""
    if test.error is not None:
        yield f"failed ({test.error.kind}): {test.error.message}"
        return
    yield f"connected to {test.version or 'a version that it does not tell'}" + _latency(test)
    newest = test.newest_trace
    yield f"newest trace: {_moment(newest) if newest is not None else 'none found'}"
    yield from (f"  {sentence}" for sentence in test.can)
    yield from (f"note: {finding}" for finding in test.findings)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _latency(test: ConnectionTest) -> str:
    return "" if test.latency_ms is None else f" in {test.latency_ms:.0f} ms"


def _moment(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC).isoformat().replace("+00:00", "Z")
