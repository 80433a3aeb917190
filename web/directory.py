"""Where a signed-in person can go, asked from the access slice's services."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from arcane.kit.actor import Actor
from web.shell import Place


class ServiceDirectory:
    """The directory of a running instance."""

    async def places(self, request: Request, actor: Actor) -> Sequence[Place]:
        """Returns the projects `actor` can open, by organisation and name."""
        return ()
