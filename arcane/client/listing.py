"""Tables in a terminal, as wide as there is room for: names are cut; times, figures and ids are whole, or not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

_LONGEST = 60
_SHORTEST = 10
"""To so many cells a name is cut before a column is left out."""
_BETWEEN = 2


class Holds(Enum):
    """What stands in a column: names are cut where room is short, figures stand on the right."""

    NAMES = auto()
    FIGURES = auto()
    WHOLE = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """A column and what it holds. Where there is no room, the one that is most `spare` is left out first; 0: never."""

    name: str
    holds: Holds = Holds.NAMES
    spare: int = 0


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[Text]], console: Console) -> None:
    """The rows stand on the console in as many of the columns as it has room for."""
    shown = _with_room(columns, rows, console.width)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for at in shown:
        named = columns[at].holds is Holds.NAMES
        justify: JustifyMethod = "right" if columns[at].holds is Holds.FIGURES else "left"
        table.add_column(columns[at].name, justify=justify, no_wrap=not named, max_width=_LONGEST if named else None)
    for row in rows:
        table.add_row(*[_on_one_line(row[at]) for at in shown])
    console.print(table)


def _with_room(columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int) -> list[int]:
    """Returns which columns are shown, by their numbers."""
    needed = [max([cell_len(column.name), *(row[at].cell_len for row in rows)]) for at, column in enumerate(columns)]
    least = [
        min(one, _SHORTEST) if column.holds is Holds.NAMES else one for column, one in zip(columns, needed, strict=True)
    ]
    shown = list(range(len(columns)))
    for at in sorted(shown, key=lambda at: -columns[at].spare):
        if sum(least[one] + _BETWEEN for one in shown) - _BETWEEN <= width or not columns[at].spare:
            break
        shown.remove(at)
    return shown


def _on_one_line(cell: Text) -> Text:
    made = cell.copy()
    made.no_wrap, made.overflow = True, "ellipsis"
    return made
