"""Metrics over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from arcane.access.permissions import TRACES_READ
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.hangup import while_connected
from arcane.kit.http import deadline_of, json_response
from arcane.traces import metrics_schemas as ms
from arcane.traces.measuring import MetricsRequest, MetricsService
from arcane.traces.metrics_bodies import metrics_body


async def _in_project(project_id: UUID) -> None:
    """The path names the project; the guard reads it, and so does the OpenAPI document."""


async def _metrics(request: Request) -> MetricsService:
    metrics: MetricsService = request.app.state.metrics
    return metrics


router = APIRouter(prefix="/projects/{project_id}", tags=["traces"], dependencies=[Depends(_in_project)])
Metrics = Annotated[MetricsService, Depends(_metrics)]
Reader = Annotated[Actor, requires(TRACES_READ)]
_FAILED: dict[int | str, dict[str, Any]] = {502: {"description": "Every datasource failed"}}


@router.post("/metrics", response_model=ms.MetricsOut, responses=_FAILED)
async def measure(request: Request, body: ms.MetricsIn, metrics: Metrics, actor: Reader) -> Response:
    """Turns spans into time series, over several datasources at once.

    A datasource that is slow or down costs its own spans only, and `sources` names it. A point is about
    the time that ends with it; the last one is the last that is over.
    """
    wanted = _wanted(metrics, body)

    async def work() -> Response:
        return json_response(metrics_body(await metrics.measure(actor, wanted, deadline_of(request))))

    return await while_connected(request, work)


@router.post("/metrics/explain")
async def explain_metrics(request: Request, body: ms.MetricsIn, metrics: Metrics, actor: Reader) -> ms.MetricsPlanOut:
    """Says what each datasource would measure, of which Arcane would read the spans, and why. Asks none."""
    plan = await metrics.explain(actor, _wanted(metrics, body), deadline_of(request))
    return ms.MetricsPlanOut.model_validate(plan)


def _wanted(metrics: MetricsService, body: ms.MetricsIn) -> MetricsRequest:
    within = metrics.traces.time_range(body.start, body.end)
    return MetricsRequest(body.query, tuple(body.datasources), within, body.step, body.instant, body.exemplars)
