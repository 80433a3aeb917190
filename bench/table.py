"""Small tables for people, and whether a figure keeps its promise."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path


def percentile(values: Sequence[float], part: float) -> float:
    """Returns the value that `part` (0 to 1) of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def machine() -> str:
    """Returns one line about this machine and day."""
    cores = "?"
    model = platform.machine()
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        lines = facts.read_text().splitlines()
        cores = str(sum(line.startswith("processor") for line in lines))
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {cores} cores, {model}"


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints `rows` under `header`, columns aligned, figures to the right."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [list(header), *texts]) for column in range(len(header))]
    print(f"\n{title}  ({machine()})")
    print("  ".join(name.ljust(width) for name, width in zip(header, widths, strict=True)))
    for row, text in zip(rows, texts, strict=True):
        cells = zip(row, text, widths, strict=True)
        print("  ".join(t.rjust(w) if isinstance(cell, int | float) else t.ljust(w) for cell, t, w in cells))


def verdict(figure: float, bound: float, *, at_least: bool = False) -> str:
    """Returns whether `figure` keeps `bound`."""
    kept = figure >= bound if at_least else figure <= bound
    return "kept" if kept else "MISSED"


def _text(cell: object) -> str:
    return f"{cell:,.2f}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else str(cell)
