"""A datasource that fails in the middle of arithmetic: what it had counted is taken back, and that is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcane.federation.execute import Engine
from arcane.federation.metrics import MetricsFound, MetricsQuestion, measure
from arcane.federation.source import Source
from arcane.model.deadline import Deadline
from arcane.model.series import Steps
from arcane.model.time import NANOS_PER_SECOND
from arcane.settings import LimitSettings
from arcane.spi.errors import Unreachable
from arcane.traceql.parse import parse
from datasources.memory.adapter import Faults
from datasources.memory.plugin import EVERYTHING
from tests.support.asking import NOON_NANOS, numbered
from tests.support.live import Growing

pytestmark = pytest.mark.anyio

RATIO = "({ status = error } | count_over_time()) / ({ } | count_over_time())"
LISTS = replace(EVERYTHING, metrics=())


async def measured(text: str, *stores: Growing) -> MetricsFound:
    steps = Steps(NOON_NANOS, 3_600 * NANOS_PER_SECOND, 1)
    sources = [Source(str(at), str(at), "memory", store) for at, store in enumerate(stores)]
    return await measure(Engine(LimitSettings()), MetricsQuestion(parse(text), steps), sources, Deadline.after(20))


@pytest.mark.parametrize(("scans_before", "told"), [(0, False), (1, True)])
async def test_copies_that_went_with_a_datasource_are_told(scans_before: int, told: bool) -> None:
    whole, failing = Growing(LISTS), Growing(LISTS)
    for store in (whole, failing):
        store.put(*(numbered(number) for number in range(4)))
    failing.fail(Faults(scan=Unreachable("gone")), after_scans=scans_before)
    found = await measured(RATIO, failing, whole)
    assert [one.error is not None for one in found.outcome.sources] == [True, False]
    assert any("may be missing from their part" in warning for warning in found.warnings) is told
