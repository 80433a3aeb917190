"""`arcane eval run`, `arcane eval list` and `arcane eval show`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from arcane.client.commands import HERE, ApiKey, AsJson, Since, Until, Url, instance_of, told
from arcane.client.errors import Exit
from arcane.client.eval_file import EvaluationFile, read
from arcane.client.evaluating import Evaluations, Threshold, Wanted, failures, mappings_of
from arcane.client.show_evaluations import progress, show_list, show_one

Named = Annotated[str, typer.Option(help="Name of the evaluation.")]
DatasetOption = Annotated[str, typer.Option("--dataset", help="Judge rows of this dataset (name or id).")]
Version = Annotated[int | None, typer.Option("--version", help="Version of the dataset; the newest by default.")]
Split = Annotated[str | None, typer.Option("--split", help="Only rows of this split.")]
Experiments = Annotated[
    list[str] | None, typer.Option("--experiment", help="Judge this experiment's answers (name or id); repeatable.")
]
Query = Annotated[str, typer.Option("--query", help="Judge the traces that this TraceQL finds.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Most traces that are judged; by default 100.")]
Scores = Annotated[list[str] | None, typer.Option("--score", help="A score (name or id); repeatable.")]
Maps = Annotated[
    list[str] | None,
    typer.Option("--map", help="Where a score's variable comes from: faithfulness.response=experiment:output."),
]
Budget = Annotated[float | None, typer.Option(help="US dollars; when they are spent, nothing further begins.")]
File = Annotated[Path | None, typer.Option("--file", help="The evaluation, in YAML, TOML or JSON; options win.")]
FailUnder = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-under", help="A mean that a score has to reach: faithfulness=0.8, toxicity<=0.1. Exit code 5."
    ),
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is over.")]

app = typer.Typer(help="Evaluations: start one and wait for it, list them, show one.", no_args_is_help=True)


@app.command()
def run(
    name: Named = "",
    dataset: DatasetOption = "",
    version: Version = None,
    split: Split = None,
    experiment: Experiments = None,
    query: Query = "",
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    score: Scores = None,
    mapping: Maps = None,
    budget: Budget = None,
    file: File = None,
    fail_under: FailUnder = None,
    wait: Wait = True,
    as_json: AsJson = False,
    url: Url = HERE,
    api_key: ApiKey = "",
) -> None:
    """Starts an evaluation and waits for it. Exit code 3: not all was scored; 4: refused; 5: below a threshold."""
    with told():
        thresholds = [Threshold.of(text) for text in fail_under or ()]
        wanted = Wanted(
            name=name,
            dataset=dataset,
            version=version,
            split=split,
            experiments=experiment or (),
            query=query,
            since=since or "",
            until=until,
            limit=limit,
            scores=score or (),
            mappings=mappings_of(mapping or ()),
            budget=budget,
        )
        given = None if file is None else read(file)
        if isinstance(given, EvaluationFile):
            wanted, thresholds, given = given.under(wanted), thresholds or given.thresholds, None
        evaluations = Evaluations(instance_of(url, api_key))
        evaluation = evaluations.start(evaluations.body(wanted, given))
        if wait:
            evaluation = _followed(evaluations, evaluation)
        _finish(evaluations, evaluation, thresholds if wait else [], as_json=as_json)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=200, help="Most evaluations.")] = 20,
    as_json: AsJson = False,
    url: Url = HERE,
    api_key: ApiKey = "",
) -> None:
    """Lists the project's evaluations, newest first."""
    with told():
        found = Evaluations(instance_of(url, api_key)).recent(limit)
        if as_json:
            print(json.dumps(found, indent=2, ensure_ascii=False))
        else:
            show_list(found, _console())


@app.command()
def show(
    evaluation_id: Annotated[str, typer.Argument(help="Id of the evaluation.", metavar="ID")],
    as_json: AsJson = False,
    url: Url = HERE,
    api_key: ApiKey = "",
) -> None:
    """Shows an evaluation and how each of its scores turned out."""
    with told():
        evaluations = Evaluations(instance_of(url, api_key))
        _print(evaluations.get(evaluation_id), evaluations.summary(evaluation_id), as_json=as_json)


def _followed(evaluations: Evaluations, evaluation: dict[str, Any]) -> dict[str, Any]:
    """Returns the evaluation when it is over; its progress is on standard error, in place on a terminal."""
    live, last, now = sys.stderr.isatty(), "", evaluation
    for now in evaluations.until_over(evaluation):
        line = progress(now)
        if line != last:
            sys.stderr.write(f"\r\x1b[2K{line}" if live else f"{line}\n")
            sys.stderr.flush()
            last = line
    if live:
        sys.stderr.write("\n")
    return now


def _finish(
    evaluations: Evaluations, evaluation: dict[str, Any], thresholds: list[Threshold], *, as_json: bool
) -> None:
    summary = evaluations.summary(evaluation["id"])
    _print(evaluation, summary, as_json=as_json)
    below = failures(thresholds, evaluation, summary)
    for sentence in below:
        sys.stderr.write(f"arcane: {sentence}\n")
    if below:
        raise typer.Exit(Exit.BELOW)
    over = evaluation["state"] in ("done", "cancelled", "stopped")
    if over and (evaluation["state"] != "done" or evaluation["tally"]["failed"]):
        raise typer.Exit(Exit.PARTIAL)


def _print(evaluation: dict[str, Any], summary: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"evaluation": evaluation, "summary": summary}, indent=2, ensure_ascii=False))
    else:
        show_one(evaluation, summary, _console())


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False, emoji=False)
