"""`arcane metrics`: series in a shell, and over files."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console
from typer.testing import CliRunner

from arcane.cli.light import app
from arcane.client.asked import Asked
from arcane.client.instance import Instance
from arcane.client.show_metrics import show_metrics, sparkline
from tests.support.tempo_replay import VECTORS

CORPUS = str(VECTORS / "corpus.otlp.jsonl")


def answer(*series: dict[str, Any], unit: str = "per_second", count: int = 3, **more: Any) -> dict[str, Any]:
    steps = {"first": "2026-08-01T12:00:00.000000000Z", "width_ns": 60_000_000_000, "count": count}
    return {"unit": unit, "steps": steps, "series": list(series), "warnings": [], "sources": [], **more}


def one(value: Any, *values: float | None, name: str = "service", kind: str = "string") -> dict[str, Any]:
    return {"labels": [{"name": name, "type": kind, "value": value}], "values": list(values), "exemplars": []}


def shown(found: dict[str, Any]) -> str:
    console = Console(file=StringIO(), width=120, color_system=None)
    show_metrics(found, console)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_a_series_is_a_line_with_a_small_chart() -> None:
    line = shown(answer(one("shop", 0.0, 1.0, 2.0))).splitlines()[1]
    assert line.split() == ["shop", "▁▅█", "2/s", "1/s", "0/s", "2/s"]


def test_an_instant_is_a_number() -> None:
    text = shown(answer(one(0.99, 0.25, name="p", kind="float"), unit="seconds", count=1))
    assert text.splitlines()[1].split() == ["p99", "250ms"]


def test_what_is_missing_stands_below_and_nothing_steers_the_terminal() -> None:
    text = shown(answer(one("evil\x1b[31m", None, None, None), warnings=["group by less"]))
    assert "\x1b" not in text
    assert "group by less" in text
    assert "nothing to count" in shown(answer())


@pytest.mark.parametrize(
    ("values", "blocks"),
    [([0, 5, 8], "▁▆█"), ([None, 1], " █"), ([5, 5], "██"), ([], ""), ([-1, 1], "▁█"), ([0] * 4, "▁▁▁▁")],
)
def test_blocks_stand_for_values_from_zero_on(values: list[float | None], blocks: str) -> None:
    assert sparkline(values, 10) == blocks


def test_many_points_share_a_block_and_the_highest_counts() -> None:
    assert sparkline([0, 9, 0, 0, 0, 0], 3) == "█▁▁"


def test_a_question_is_asked_in_the_words_of_the_api() -> None:
    asked: list[Any] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, json.loads(request.content)))
        return httpx.Response(200, json=answer())

    http = httpx.Client(transport=httpx.MockTransport(handle), base_url="http://arcane.test")
    Instance(http, "p1").measure(Asked("{ } | rate()", step="5m"))
    body = {"query": "{ } | rate()", "datasources": [], "step": "5m", "instant": False}
    assert asked == [("/api/v1/projects/p1/metrics", body)]


def test_files_are_measured_without_an_instance() -> None:
    done = CliRunner().invoke(
        app, ["metrics", "--json", "--step", "1h", "--file", CORPUS, "{ } | count_over_time() by (kind)"]
    )
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert sum(sum(series["values"]) for series in found["series"]) == 1_770
    assert found["complete"] is True


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--step", "soon", "{ } | rate()"], "a step is a duration"),
        (["{ }"], "ends in a function"),
        (["{ } | max_over_time(name)"], "computes with numbers"),
    ],
)
def test_what_goes_wrong_is_told(words: list[str], says: str, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    done = CliRunner().invoke(app, ["metrics", "--file", str(tmp_path / "empty.jsonl"), *words])
    assert done.exit_code == 4
    assert says in done.stderr, done.output
