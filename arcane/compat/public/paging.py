"""Lists by page number, as the original product cut them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import ConfigDict, Field

from arcane.kit.pagination import Page, PageRequest
from arcane.kit.schema import Schema

ItemType = TypeVar("ItemType")

_AT_ONCE = 100


class Numbered(Schema):
    """Which page of a list."""

    model_config = ConfigDict(populate_by_name=True)

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    search: Annotated[str, Field(max_length=1_000)] = ""
    sort_by: Annotated[str, Field(alias="sortBy", max_length=200)] = ""
    sort_order: Annotated[Literal["asc", "desc", "ASC", "DESC"], Field(alias="sortOrder")] = "desc"

    @property
    def descending(self) -> bool:
        """True where the last comes first."""
        return self.sort_order.lower() == "desc"


def pagination(page: int, limit: int, total: int) -> dict[str, Any]:
    """Returns what the clients read to know whether to go on."""
    pages = -(-total // limit)
    return {
        "page": page,
        "limit": limit,
        "total": total,
        "totalPages": pages,
        "hasNextPage": page < pages,
        "hasPreviousPage": page > 1,
    }


async def whole(ask: Callable[[PageRequest], Awaitable[Page[ItemType]]]) -> list[ItemType]:
    """Returns a whole list, asked page by page: the original's lists have none. A setting bounds each of them."""
    items: list[ItemType] = []
    cursor = None
    while True:
        page = await ask(PageRequest(limit=_AT_ONCE, cursor=cursor))
        items += page.items
        cursor = page.next
        if cursor is None:
            return items
