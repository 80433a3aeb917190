"""Lists in a terminal: whatever the names are, ids are whole and nothing steers the terminal."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console
from rich.text import Text

from arcane.client.listing import Column, Holds, print_table
from arcane.client.show_evaluations import show_list, show_one

ID = str(UUID(int=2**128 - 1))
TALLY = {"done": 1, "failed": 0, "total": 2, "cost_usd": 0.25, "unpriced": 0}


def evaluation(name: str) -> dict[str, Any]:
    about = {"scope": "experiments", "state": "running", "note": "", "tally": TALLY}
    return {"id": ID, "name": name, "experiments": [("e", name)], "scores": [{"score_id": "s", "name": name}], **about}


def shown(width: int, *evaluations: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)
    show_list(evaluations, console)
    row = {"score_id": "s", "experiment_id": "e", "mean": 0.5, "lowest": None, "highest": 1.0}
    show_one(evaluations[0], [{**row, "done": 1, "failed": 0, "total": 2}], console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 240])
def test_an_id_is_whole_however_long_the_name_is(width: int) -> None:
    head, row, *_ = shown(width, evaluation("long " * 60)).splitlines()
    assert (head.split()[0], head.split()[-1]) == ("name", "id")
    assert row.endswith(ID)
    assert len(row) <= width


def test_without_room_what_can_be_spared_is_left_out_first() -> None:
    columns = [
        Column("name"),
        Column("much", Holds.FIGURES, spare=1),
        Column("more", spare=2),
        Column("id", Holds.WHOLE),
    ]
    rows = [[Text("n" * 20), Text("12345"), Text("m" * 20), Text("0123456789")]]
    heads = {}
    for width in (60, 50, 47, 34, 20):
        console = Console(file=io.StringIO(), width=width)
        print_table(columns, rows, console)
        assert isinstance(console.file, io.StringIO)
        head, row = console.file.getvalue().splitlines()
        heads[width] = (head.split(), "n…" in row, row.rstrip().endswith("0123456789"))
    assert heads == {
        60: (["name", "much", "more", "id"], False, True),
        50: (["name", "much", "more", "id"], True, True),
        47: (["name", "much", "more", "id"], True, True),
        34: (["name", "much", "id"], True, True),
        20: (["name", "id"], True, True),
    }


def test_a_name_is_shown_as_it_is_and_steers_nothing() -> None:
    text = shown(240, evaluation("[/bold] \x1b[31mred \u202etxt"))
    assert text.count("[/bold] \ufffd[31mred \ufffdtxt") == 4
    assert "\x1b" not in text
