"""The filters of Jinja2 that a prompt may use: none of them makes more than it is given without counting it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import GeneratorType
from typing import Any, Final

from jinja2 import filters as jinja
from jinja2 import pass_context
from jinja2.filters import FILTERS as JINJAS
from jinja2.runtime import Context, Undefined

from arcane.prompting.bounds import Budget
from arcane.prompting.texts import as_text

BUDGET: Final = "\0budget"
"""Under which name the budget stands in a template's context; no template can write it."""

_WIDEST = 200
# fmt: off
TESTS: Final = frozenset({
    "defined", "undefined", "none", "boolean", "false", "true", "integer", "float", "number", "string", "mapping",
    "sequence", "iterable", "odd", "even", "divisibleby", "in", "eq", "equalto", "==", "ne", "!=", "lt", "lessthan",
    "<", "le", "<=", "gt", "greaterthan", ">", "ge", ">=", "lower", "upper",
})
_JINJAS: Final = (
    "abs", "capitalize", "count", "length", "default", "d", "dictsort", "first", "float", "groupby", "int", "items",
    "last", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "round", "select", "selectattr",
    "sort", "title", "trim", "truncate", "unique", "upper", "wordcount",
)
# fmt: on


def budget_of(context: Context) -> Budget:
    """Returns the budget of the prompt that is being filled."""
    budget: Budget = context.parent[BUDGET]
    return budget


def size(value: object) -> int:
    """Returns about how many characters' worth of memory a value takes by itself."""
    if isinstance(value, str):
        return len(value)
    return 8 * len(value) if hasattr(value, "__len__") else 8


def plain(value: object, budget: Budget) -> object:
    """Returns the value, as a list where it would only be one when somebody asks."""
    if isinstance(value, GeneratorType) or (isinstance(value, Iterable) and not hasattr(value, "__len__")):
        return list(_counted(value, budget))
    if isinstance(value, str | int | float | list | tuple | Mapping) or value is None:
        return value
    return list(_counted(value, budget)) if isinstance(value, Iterable) else ""


def _counted(values: Iterable[Any], budget: Budget) -> Iterator[Any]:
    for value in values:
        budget.step()
        budget.make(8)
        yield value


def _metered(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter of Jinja, its result a value that is there and was counted."""
    wants = getattr(function, "jinja_pass_arg", None)
    name = getattr(wants, "name", "")

    @pass_context
    def metered(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        budget = budget_of(context)
        budget.make(0 if isinstance(value, Undefined) else size(value))
        first: tuple[Any, ...] = ()
        if name:
            first = ({"context": context, "eval_context": context.eval_ctx, "environment": context.environment}[name],)
        made = function(*first, value, *args, **kwargs)
        if isinstance(made, Undefined):
            return made
        made = plain(made, budget)
        budget.make(size(made))
        return made

    return metered


@pass_context
def _loop_over(context: Context, values: Any) -> Iterator[Any]:
    if isinstance(values, Undefined):
        return iter(values)
    return iter(list(_counted(values, budget_of(context))))


@pass_context
def _put_together(context: Context, values: Iterable[Any]) -> str:
    budget = budget_of(context)
    return "".join(
        str(value) if isinstance(value, Undefined) else as_text(plain(value, budget), budget.make) for value in values
    )


@pass_context
def _cut(context: Context, value: Any, *bounds: int | None) -> Any:
    if isinstance(value, Undefined):
        return value[0:1]
    made = value[slice(*bounds)]
    budget_of(context).make(size(made))
    return made


@pass_context
def _join(context: Context, values: Iterable[Any], d: object = "", attribute: str | None = None) -> str:
    budget = budget_of(context)
    between = as_text(d, budget.make)
    if attribute is not None:
        values = jinja.sync_do_map(context, values, attribute=attribute)
    parts = []
    for value in values:
        budget.make(len(between))
        parts.append(str(value) if isinstance(value, Undefined) else as_text(plain(value, budget), budget.make))
    return between.join(parts)


@pass_context
def _replace(context: Context, value: object, old: str, new: str, count: int | None = None) -> str:
    budget = budget_of(context)
    text = _texted(context, value)
    times = text.count(old) if count is None else min(text.count(old), max(count, 0))
    budget.make(len(text) + times * len(new))
    return text.replace(old, new, -1 if count is None else count)


@pass_context
def _indent(context: Context, value: object, width: int = 4, first: bool = False, blank: bool = False) -> str:
    text = _texted(context, value)
    margin = " " * min(max(int(width), 0), _WIDEST)
    budget_of(context).make(len(text) + (text.count("\n") + 1) * len(margin))
    lines = [margin + line if line.strip() or blank else line for line in text.splitlines(keepends=True)]
    if lines and not first:
        lines[0] = lines[0][len(margin) :] if lines[0].startswith(margin) and margin else lines[0]
    return "".join(lines)


@pass_context
def _tojson(context: Context, value: object, indent: int | None = None) -> str:
    budget = budget_of(context)
    if isinstance(value, Undefined):
        return str(value)
    encoder = json.JSONEncoder(
        ensure_ascii=False, default=str, indent=None if indent is None else min(max(int(indent), 0), 8)
    )
    parts = []
    for part in encoder.iterencode(plain(value, budget)):
        budget.make(len(part))
        parts.append(part)
    return "".join(parts)


@pass_context
def _texted(context: Context, value: object) -> str:
    budget = budget_of(context)
    return str(value) if isinstance(value, Undefined) else as_text(plain(value, budget), budget.make)


@pass_context
def _sum(context: Context, values: Iterable[Any], attribute: str | None = None, start: float = 0) -> float:
    if attribute is not None:
        values = jinja.sync_do_map(context, values, attribute=attribute)
    total: float = start
    for value in _counted(values, budget_of(context)):
        if not isinstance(value, int | float) or abs(value) > 1e100:
            raise TypeError("sum is for numbers")
        total += value
    return total


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    **{name: _metered(JINJAS[name]) for name in _JINJAS},
    "join": _join,
    "replace": _replace,
    "indent": _indent,
    "tojson": _tojson,
    "string": _texted,
    "safe": _texted,
    "sum": _sum,
    "loop over": _loop_over,
    "put together": _put_together,
    "cut": _cut,
}
