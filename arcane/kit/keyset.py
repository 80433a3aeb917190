"""Lists in tables, page by page: where the last page ended is a condition, so a page costs the same wherever it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Select, bindparam, tuple_
from sqlalchemy.sql.elements import ColumnElement, SQLColumnExpression

from arcane.kit.pagination import Cursors, Page, PageRequest

T = TypeVar("T")
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Keyset(Generic[P]):
    """The order of a list, by columns that together are unique; `position` is the tuple type of their values."""

    kind: str
    columns: tuple[SQLColumnExpression[Any], ...]
    position: type[P]
    descending: bool = False

    def select_after(self, statement: Select[Any], request: PageRequest, cursors: Cursors) -> Select[Any]:
        """Returns `statement` in this order, after the request's cursor, with one row more than the page has."""
        order = [column.desc() if self.descending else column.asc() for column in self.columns]
        if request.cursor is not None:
            last: Any = cursors.decode(self.kind, request.cursor, self.position)
            row, bound = tuple_(*self.columns), tuple_(*_bound(self.columns, last))
            statement = statement.where(row < bound if self.descending else row > bound)
        return statement.order_by(*order).limit(request.limit + 1)

    def page(self, rows: Sequence[T], request: PageRequest, cursors: Cursors, position_of: Callable[[T], P]) -> Page[T]:
        """Returns the page that `rows` (of `select_after`) make: the row too many says that there is more."""
        items = tuple(rows[: request.limit])
        more = len(rows) > request.limit and bool(items)
        return Page(items, cursors.encode(self.kind, position_of(items[-1])) if more else None)


def _bound(columns: Sequence[SQLColumnExpression[Any]], values: Sequence[Any]) -> list[Any]:
    return [_literal(column, value) for column, value in zip(columns, values, strict=True)]


def _literal(column: SQLColumnExpression[Any], value: Any) -> Any:
    return bindparam(None, value, type_=cast("ColumnElement[Any]", column).type, unique=True)
