"""Puts the slice together: what `app.state.traces` is, made once a process."""

from __future__ import annotations

from arcane.conventions import ListPrices
from arcane.federation.execute import Engine
from arcane.kit.clock import SystemClock
from arcane.kit.pagination import Cursors
from arcane.settings import Settings
from arcane.traces.reading import QueryReader
from arcane.traces.service import Catalog, Scopes, TraceService
from arcane.traces.sharing import KeptAnswers, SharedAnswers


def build_traces(settings: Settings, catalog: Catalog, scopes: Scopes, cursors: Cursors) -> TraceService:
    """Returns the service; nothing is asked yet."""
    clock = SystemClock()
    return TraceService(
        catalog=catalog,
        scopes=scopes,
        engine=Engine(settings.limits),
        cursors=cursors,
        reader=QueryReader(settings.limits.query_bytes_max),
        clock=clock,
        limits=settings.limits,
        prices=ListPrices(),
        shared=SharedAnswers(KeptAnswers(settings.cache, clock)),
    )
