"""Which column of the dataset fills which variable of the prompt. Pure.

A mapping goes from variable to column. A variable that it does not name takes the column of its own name, where there
is one, so that a dataset whose columns are called like the variables needs no mapping.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from arcane.experiments.problems import BadMapping


def completed(
    variables: Sequence[str], required: Sequence[str], columns: Sequence[str], given: Mapping[str, str]
) -> dict[str, str]:
    """Returns the columns of variables, of all that are required; raises BadMapping with all that does not fit."""
    errors = [
        (f"#/mapping/{name}", _unknown("the prompt", "variable", name, variables))
        for name in given
        if name not in variables
    ]
    errors += [
        (f"#/mapping/{name}", _unknown("the dataset", "column", column, columns))
        for name, column in given.items()
        if name in variables and column not in columns
    ]
    found = {name: given.get(name, name) for name in variables if name in given or name in columns}
    errors += [
        ("#/mapping", f"the variable {name} of the prompt needs a column: {_listed(columns)}")
        for name in required
        if name not in given and name not in columns
    ]
    if errors:
        raise BadMapping(errors)
    return found


def _unknown(whose: str, what: str, name: str, known: Sequence[str]) -> str:
    return f"{whose} has no {what} {name}; it has {_listed(known)}"


def _listed(names: Sequence[str]) -> str:
    most = 12
    shown = ", ".join(names[:most])
    return "none" if not names else f"{shown} and {len(names) - most} more" if len(names) > most else shown
