"""Whether names, columns and rows can be what a request says. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arcane.datasets.columns import LONGEST_NAME, BadValue, Column, checked, column_name_error, unprintable
from arcane.datasets.problems import DatasetLimit, InvalidDataset
from arcane.datasets.views import NewColumn
from arcane.settings import DatasetSettings


def checked_name(name: str) -> str:
    """Returns the name of a dataset without spaces around it; raises InvalidDataset."""
    said = name.strip()
    if not said or len(said) > LONGEST_NAME or unprintable(said):
        raise InvalidDataset(f"a dataset's name has 1 to {LONGEST_NAME} characters, none of them a control character")
    return said


def checked_split(name: str) -> str:
    """Returns the name of a split, "" for none; raises InvalidDataset."""
    said = name.strip()
    if len(said) > LONGEST_NAME or unprintable(said):
        raise InvalidDataset(f"a split's name has up to {LONGEST_NAME} characters, none of them a control character")
    return said


def checked_columns(
    wanted: Sequence[NewColumn], known: Sequence[Column], made: int, limits: DatasetSettings
) -> tuple[tuple[Column, ...], int]:
    """Returns the columns with their ids, and how many ids were ever given; raises InvalidDataset or DatasetLimit."""
    if not wanted:
        raise InvalidDataset("a dataset has at least one column")
    if len(wanted) > limits.columns_max:
        raise DatasetLimit(f"a dataset has at most {limits.columns_max} columns")
    names = [column.name.strip() for column in wanted]
    errors = [
        {"pointer": f"#/columns/{place}/name", "detail": error}
        for place, name in enumerate(names)
        if (error := column_name_error(name) or _repeated(names, place))
    ]
    ids = {column.id for column in known}
    given = [column.id for column in wanted if column.id is not None]
    if len(set(given)) < len(given) or not ids.issuperset(given):
        errors.append({"pointer": "#/columns", "detail": "an id is that of a column of this dataset, and named once"})
    if errors:
        raise InvalidDataset(errors[0]["detail"], errors=errors)
    columns = []
    for name, column in zip(names, wanted, strict=True):
        if column.id is None:
            made += 1
        columns.append(Column(column.id or f"c{made}", name, column.type))
    return tuple(columns), made


def checked_values(columns: Sequence[Column], values: Mapping[str, Any], limits: DatasetSettings) -> dict[str, Any]:
    """Returns `values`, which are by column name, by id, each as its cell holds it (None: empty it).

    Raises InvalidDataset that names the column.
    """
    by_name = {column.name: column for column in columns}
    found: dict[str, Any] = {}
    for name, value in values.items():
        column = by_name.get(name)
        if column is None:
            raise InvalidDataset("the dataset has no column of that name", column=name)
        try:
            found[column.id] = checked(column.type, value, limits.cell_bytes_max)
        except BadValue as exc:
            raise InvalidDataset(f"{name}: {exc}", column=name) from None
    return found


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the cells that hold something."""
    return {name: value for name, value in values.items() if value is not None}


def _repeated(names: Sequence[str], place: int) -> str:
    return "two columns have the same name" if names[place] in names[:place] else ""
