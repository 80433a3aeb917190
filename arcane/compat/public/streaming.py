"""Lists that the original answered whole, written while they are read: whatever their length, little is held."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

import msgspec

from arcane.kit.download import Download
from arcane.kit.guard import Again
from arcane.kit.pagination import Page, PageRequest
from arcane.model.notice import encoded

ItemType = TypeVar("ItemType")

_AT_ONCE = 200


async def every(ask: Callable[[PageRequest], Awaitable[Page[ItemType]]]) -> AsyncGenerator[ItemType, None]:
    """Yields a whole list, asked page by page."""
    cursor = None
    while True:
        page = await ask(PageRequest(_AT_ONCE, cursor))
        for item in page.items:
            yield item
        cursor = page.next
        if cursor is None:
            return


def listed(items: AsyncGenerator[Any, None], again: Again) -> Download:
    """Returns the answer that is an array of `items`."""
    return Download(_pieces(b"[", items, lambda _: b"]"), again, "application/json")


def listed_in(
    members: Mapping[str, Any], name: str, items: AsyncGenerator[Any, None], again: Again, total: str = ""
) -> Download:
    """Returns the answer that is an object of `members` and the array `name`, and where it is named how long it is."""
    head = msgspec.json.encode({**members, name: []}, enc_hook=encoded).removesuffix(b"]}")

    def tail(count: int) -> bytes:
        return b"]}" if not total else b"]," + msgspec.json.encode({total: count}).removeprefix(b"{")

    return Download(_pieces(head, items, tail), again, "application/json")


async def _pieces(
    head: bytes, items: AsyncGenerator[Any, None], tail: Callable[[int], bytes]
) -> AsyncGenerator[bytes, None]:
    count = 0
    yield head
    async with aclosing(items) as open_items:
        async for item in open_items:
            yield (b"," if count else b"") + msgspec.json.encode(item, enc_hook=encoded)
            count += 1
    yield tail(count)
