"""What can be asked, and by whom: the datasources of a form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from arcane.catalog.service import CatalogService
from arcane.kit.actor import Actor
from arcane.traces.service import TraceService


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """A datasource that can be asked."""

    id: str
    name: str
    kind: str
    chosen: bool = True


async def source_choices(request: Request, actor: Actor, chosen: Sequence[str]) -> tuple[SourceChoice, ...]:
    """Returns the datasources of the organisation, in the order to show them."""
    catalog: CatalogService = request.app.state.catalog
    return tuple(
        SourceChoice(str(one.id), one.name, one.kind, not chosen or str(one.id) in chosen)
        for one in await catalog.list(actor)
    )


def traces_of(request: Request) -> TraceService:
    """Returns the service that answers questions about traces."""
    traces: TraceService = request.app.state.traces
    return traces
