"""Series as a person reads them in a shell: a line each, with a small chart of blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from arcane.client.listing import Column, Holds, print_table
from arcane.client.show import about_sources, clean, duration

_BLOCKS = "▁▂▃▄▅▆▇█"
_CELLS = 48
_SHOWN = 50
_LINE = (
    Column("series"),
    Column("", Holds.WHOLE, spare=1),
    Column("last", Holds.FIGURES),
    Column("mean", Holds.FIGURES),
    Column("least", Holds.FIGURES, spare=2),
    Column("most", Holds.FIGURES, spare=2),
)
_POINT = (Column("series"), Column("value", Holds.FIGURES))


def show_metrics(answer: Mapping[str, Any], console: Console) -> None:
    """The series stand on the console as a table, and below it what is missing from them."""
    if not answer["series"]:
        console.print("nothing to count", style="dim")
    else:
        _print_series(answer, console)
        if len(answer["series"]) > _SHOWN:
            console.print(f"{len(answer['series']) - _SHOWN} more series: --json prints all", style="dim")
    for line in (*answer["warnings"], *about_sources(answer["sources"])):
        console.print(Text(clean(line), style="yellow"))


def _print_series(answer: Mapping[str, Any], console: Console) -> None:
    is_line = answer["steps"]["count"] > 1
    columns = _LINE if is_line else _POINT
    rows = []
    for series in answer["series"][:_SHOWN]:
        found = [value for value in series["values"] if value is not None]
        cells = [Text(clean(_name(series["labels"])))]
        if is_line:
            cells.append(Text(sparkline(series["values"], _CELLS), style="cyan"))
        numbers = (found[-1], sum(found) / len(found), min(found), max(found)) if found and is_line else found[:1]
        cells += [Text(_value(one, answer["unit"])) for one in numbers]
        rows.append([*cells, *[Text()] * (len(columns) - len(cells))])
    print_table(columns, rows, console)


def sparkline(values: Sequence[float | None], cells: int) -> str:
    """Returns the values as blocks, the highest of each cell; a space where there is none."""
    width = min(cells, len(values))
    groups = [values[at * len(values) // width : (at + 1) * len(values) // width] for at in range(width)]
    tops = [max((one for one in group if one is not None), default=None) for group in groups]
    known = [one for one in tops if one is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    span = (high - low) or 1.0
    return "".join(
        " " if one is None else _BLOCKS[min(len(_BLOCKS) - 1, int((one - low) / span * len(_BLOCKS)))] for one in tops
    )


def _name(labels: Sequence[Mapping[str, Any]]) -> str:
    named = [label for label in labels if label["name"] != "__name__"] or list(labels)
    if len(named) == 1:
        return _label(named[0])
    return ", ".join(f"{label['name']}={_label(label)}" for label in named)


def _label(label: Mapping[str, Any]) -> str:
    if label["type"] == "nil":
        return "(none)"
    if label["name"] == "p":
        return f"p{label['value'] * 100:g}"
    return duration(label["value"]) if label["type"] == "duration" else str(label["value"])


def _value(value: float, unit: str) -> str:
    if unit == "seconds":
        return ("-" if value < 0 else "") + duration(round(abs(value) * 1e9))
    text = f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
    return f"{text}/s" if unit == "per_second" else text
