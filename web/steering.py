"""Work over many rows is steered from its page: experiments and evaluations alike."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from fastapi import Request, Response

from arcane.experiments.words import Again
from arcane.kit.actor import Actor
from web.forms import act, say_to


class Steered(Protocol):
    """What can be told to stop, to go on, and to try again."""

    async def pause(self, actor: Actor, id_: UUID, /) -> object:
        """Nothing further begins."""
        ...

    async def resume(self, actor: Actor, id_: UUID, /) -> object:
        """It goes on."""
        ...

    async def cancel(self, actor: Actor, id_: UUID, /) -> object:
        """Nothing more is done."""
        ...

    async def rerun(self, actor: Actor, id_: UUID, again: Again, /) -> object:
        """What failed, or all, is done again."""
        ...


async def steered(request: Request, actor: Actor, service: Steered, id_: UUID, to: str) -> Response:
    """Returns to the page at `to` once it is done what the path's last part says."""
    said = say_to(request, "Done.")
    match request.path_params["what"]:
        case "pause":
            return await act(request, service.pause(actor, id_), to, said)
        case "resume":
            return await act(request, service.resume(actor, id_), to, said)
        case "rerun-failed":
            return await act(request, service.rerun(actor, id_, Again.FAILED), to, said)
        case "rerun-all":
            return await act(request, service.rerun(actor, id_, Again.ALL), to, said)
        case _:
            return await act(request, service.cancel(actor, id_), to, said)
