"""The page about the worker's metrics names each of them, with its labels, and no other."""

from __future__ import annotations

import re

from tests.support.repository_files import ROOT
from worker.meters import Meters


def test_every_metric_is_in_the_reference() -> None:
    page = (ROOT / "docs/reference/worker-metrics.md").read_text()
    told = {
        name: set(re.findall(r"`(\w+)`", labels)) for name, labels in re.findall(r"\| `(arcane_\w+)` \|([^|]*)\|", page)
    }
    meters = Meters()
    meters.watch(running=int, waiting=int, held=int)
    there = {}
    for family, names in meters.registry._collector_to_names.items():
        name = min(names, key=len, default="")
        if name.startswith("arcane_"):
            counted = f"{name}_total" in names
            there[f"{name}_total" if counted else name] = set(getattr(family, "_labelnames", ()))
    assert told == there
