"""Evaluations in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from arcane.client.show import clean


def show_list(evaluations: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Prints a line for each evaluation."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("ID", "NAME", "SCOPE", "STATE", "DONE", "FAILED", "COST"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for one in evaluations:
        tally = one["tally"]
        done = f"{tally['done']}/{tally['total']}"
        cells = (one["id"], clean(one["name"]), one["scope"], one["state"], done, str(tally["failed"]))
        table.add_row(*cells, f"${tally['cost_usd']:.4f}")
    console.print(table)


def show_one(evaluation: Mapping[str, Any], summary: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Prints an evaluation and how each of its scores turned out."""
    console.print(progress(evaluation))
    experiments = dict(evaluation["experiments"])
    names = {one["score_id"]: one["name"] for one in evaluation["scores"]}
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("SCORE", *(["EXPERIMENT"] if experiments else []), "MEAN", "LOW", "HIGH", "DONE", "FAILED"):
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for row in summary:
        about = [clean(experiments.get(row["experiment_id"], ""))] if experiments else []
        figures = [_figure(row[name]) for name in ("mean", "lowest", "highest")]
        counts = (f"{row['done']}/{row['total']}", str(row["failed"]))
        table.add_row(clean(names.get(row["score_id"], row["score_id"])), *about, *figures, *counts)
    console.print(table)


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
