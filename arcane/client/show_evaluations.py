"""Evaluations in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from arcane.client.listing import Column, Holds, print_table
from arcane.client.show import clean

_EVALUATIONS = (
    Column("name"),
    Column("scope", spare=3),
    Column("state", Holds.WHOLE),
    Column("done", Holds.FIGURES),
    Column("failed", Holds.FIGURES, spare=1),
    Column("cost", Holds.FIGURES, spare=2),
    Column("id", Holds.WHOLE),
)
_FIGURES = tuple(Column(name, Holds.FIGURES) for name in ("mean", "lowest", "highest", "done", "failed"))


def show_list(evaluations: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Prints a line for each evaluation."""
    rows = []
    for one in evaluations:
        tally = one["tally"]
        counts = (f"{tally['done']}/{tally['total']}", str(tally["failed"]), f"${tally['cost_usd']:.4f}")
        rows.append([Text(text) for text in (clean(one["name"]), one["scope"], one["state"], *counts, one["id"])])
    print_table(_EVALUATIONS, rows, console)


def show_one(evaluation: Mapping[str, Any], summary: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Prints an evaluation and how each of its scores turned out."""
    console.print(progress(evaluation))
    experiments = dict(evaluation["experiments"])
    names = {one["score_id"]: one["name"] for one in evaluation["scores"]}
    rows = []
    for row in summary:
        about = [clean(experiments.get(row["experiment_id"], ""))] if experiments else []
        values = [_figure(row[name]) for name in ("mean", "lowest", "highest")]
        counts = (f"{row['done']}/{row['total']}", str(row["failed"]))
        said = (clean(names.get(row["score_id"], row["score_id"])), *about, *values, *counts)
        rows.append([Text(text) for text in said])
    print_table((Column("score"), *([Column("experiment")] if experiments else []), *_FIGURES), rows, console)


def progress(evaluation: Mapping[str, Any]) -> str:
    """Returns how an evaluation stands, in one line."""
    tally = evaluation["tally"]
    parts = [evaluation["state"], f"{tally['done'] + tally['failed']}/{tally['total']}"]
    if tally["failed"]:
        parts.append(f"{tally['failed']} failed")
    parts.append(f"${tally['cost_usd']:.4f}" + (f" (+ {tally['unpriced']} unpriced)" if tally["unpriced"] else ""))
    if evaluation["note"]:
        parts.append(evaluation["note"])
    return f"{clean(evaluation['name'])}: {' · '.join(parts)}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
