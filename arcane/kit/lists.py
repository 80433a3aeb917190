"""What every list endpoint shares: `limit` and `cursor` in."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from arcane.kit.pagination import PageRequest

LIMIT_DEFAULT = 50
LIMIT_MAX = 200


async def page_request(
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Most items of the page.")] = LIMIT_DEFAULT,
    cursor: Annotated[str | None, Query(max_length=2048, description="`next` of the page before.")] = None,
) -> PageRequest:
    """Returns the page that the query string asks for."""
    return PageRequest(limit, cursor)


Paging = Annotated[PageRequest, Depends(page_request)]
