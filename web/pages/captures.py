"""Rows for a dataset out of traces: a span, or what a search finds; which of it, into which columns; and a look first.

The address says what is captured and into which dataset; the form says which of it, and where each column's value
comes from. Nothing of it needs a script.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from arcane.access import permissions as p
from arcane.datasets.captures import CaptureRequest, Listed, NothingSaid, Origin, usual_source, values_of
from arcane.datasets.columns import Column, written
from arcane.datasets.sources import TRACE_NAMES, BadSource, Scope, read_source
from arcane.datasets.views import DatasetView
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.http import deadline_of
from arcane.kit.pagination import PageRequest
from arcane.kit.problems import NotAllowed, Problem
from arcane.model.hit import TraceHit
from arcane.model.ids import SpanId
from arcane.model.time import datetime_of
from arcane.model.trace import Trace
from web.asking import source_choices, traces_of
from web.flash import flash
from web.forms import FormState, entered, refused, say_to
from web.pages.datasets import base_of, columns_in, parts_of
from web.rendering import Page, renderer_of
from web.searchform import SearchForm, form_of
from web.shell import Shell

router = APIRouter(prefix="/o/{organisation}/p/{project}/datasets/capture", include_in_schema=False)
Adder = Annotated[Actor, requires(p.DATASETS_ROWS_CREATE)]
Creator = Annotated[Actor, requires(p.DATASETS_CREATE)]
_CHOICES = 200
_SUGGESTED = 60
_PREVIEW = 240
_LONGER = "…"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trace or span that can be captured. `value` is how the form names it."""

    value: str
    name: str
    service: str
    at: datetime | None
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Filled:
    """A column: where its value comes from, and what the first of the traces would give."""

    column: Column
    name: str
    source: str
    text: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturePage(Page):
    template: ClassVar[str] = "datasets/capture.html"

    base: str
    here: str
    query: str
    asked: tuple[tuple[str, str], ...]
    each_span: bool | None
    other_unit: str
    datasets: tuple[tuple[str, str], ...]
    dataset: DatasetView | None
    candidates: tuple[Candidate, ...]
    more: bool
    filled: tuple[Filled, ...]
    suggested: tuple[str, ...]
    failure: str
    form: FormState
    made: FormState
    may_create: bool


@dataclass(frozen=True, slots=True)
class _Sent:
    """What the page's forms were sent with: of a capture, with what was ticked (None: everything), or of a dataset."""

    form: FormState = field(default_factory=FormState)
    ticked: frozenset[str] | None = None
    made: FormState = field(default_factory=FormState)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the address asks for."""

    request: CaptureRequest
    search: SearchForm | None
    failure: str = ""


@router.get("")
async def show(request: Request, actor: Adder) -> Response:
    return await _respond(request, actor, _Sent())


@router.post("")
async def capture(request: Request, actor: Adder) -> Response:
    """Captures what is ticked, or shows what it would give."""
    form, sent = await entered(request), await request.form()
    listed = [str(one) for one in sent.getlist("trace")]
    ticked = frozenset(listed)
    dataset = await _dataset(request, actor, await _datasets(request, actor))
    if dataset is None or "look" in form:
        return await _respond(request, actor, _Sent(FormState(form), ticked))
    columns = {column.name: form.get(_field(column), "").strip() for column in dataset.columns}
    shell = await renderer_of(request).shell(request, actor, section="datasets")
    asked = await _asked(request, actor, shell)
    wanted = CaptureRequest(
        {name: source for name, source in columns.items() if source},
        [_origin(one) for one in listed],
        within=asked.search.window if asked.search else None,
        split=form.get("split", ""),
    )
    try:
        captured = await parts_of(request).captures.capture(actor, dataset.id, wanted, deadline_of(request))
    except Problem as problem:
        return await _respond(request, actor, _Sent(refused(form, problem), ticked), problem.status)
    response = RedirectResponse(f"{base_of(request)}/{dataset.id}", 303)
    rows, left = len(captured.page.rows), len(captured.skipped)
    flash(request, response, say_to(request, "Rows captured: %(rows)d.") % {"rows": rows})
    if left:
        said = say_to(request, "Left out: %(left)d. The first: %(why)s.")
        flash(request, response, said % {"left": left, "why": captured.skipped[0].reason}, "error")
    return response


@router.post("/new")
async def make(request: Request, actor: Creator) -> Response:
    """A dataset for what is about to be captured: the way leads back to it."""
    form = await entered(request)
    try:
        columns = columns_in(form.get("columns", ""))
        said = form.get("name", ""), form.get("description", "")
        made = await parts_of(request).datasets.create(actor, *said, columns)
    except Problem as problem:
        return await _respond(request, actor, _Sent(made=refused(form, problem)), problem.status)
    asked = [pair for pair in request.query_params.multi_items() if pair[0] != "dataset"]
    address = urlencode([*asked, ("dataset", str(made.id))])
    return RedirectResponse(f"{base_of(request)}/capture?{address}", 303)


def _field(column: Column) -> str:
    return f"from:{column.id}"


def _origin(value: str) -> Origin:
    trace_id, _, span_id = value.partition("/")
    return Origin(trace_id[:32], span_id[:16])


async def _asked(request: Request, actor: Actor, shell: Shell) -> _Asked:
    """Returns what the address asks for: a trace, a span of one, or a search as the search page writes it."""
    parameters = request.query_params
    if "trace" in parameters:
        origin = _origin(f"{parameters['trace']}/{parameters.get('span', '')}".lower())
        return _Asked(CaptureRequest({}, [origin]), None)
    choices = await source_choices(request, actor, parameters.getlist("source"))
    search = form_of(request, shell, choices, actor, datetime.now(UTC))
    each_span = parameters.get("unit") == "span"
    wanted = CaptureRequest({}, search=search.question(), each_span=each_span, within=search.window)
    return _Asked(wanted, search, search.problem)


async def _datasets(request: Request, actor: Actor) -> tuple[tuple[str, str], ...]:
    if not actor.may(p.DATASETS_READ):
        return ()
    page = await parts_of(request).datasets.page(actor, PageRequest(_CHOICES))
    return tuple((str(one.id), one.name) for one in page.items)


async def _dataset(request: Request, actor: Actor, known: tuple[tuple[str, str], ...]) -> DatasetView | None:
    """Returns the dataset that the address names, else the first there is; raises UnknownDataset, NotAllowed."""
    named = request.query_params.get("dataset", "") or (known[0][0] if known else "")
    if named and not actor.may(p.DATASETS_READ):
        raise NotAllowed(
            "the page shows the columns of the dataset, which needs datasets:read", permission=p.DATASETS_READ
        )
    try:
        return await parts_of(request).datasets.get(actor, UUID(named)) if named else None
    except ValueError:
        return None


async def _respond(request: Request, actor: Actor, sent: _Sent, status: int = 200) -> Response:
    if not actor.may(p.TRACES_READ):
        raise NotAllowed("capturing rows needs the permission to read traces", permission=p.TRACES_READ)
    renderer = renderer_of(request)
    shell = await renderer.shell(request, actor, section="datasets")
    known = await _datasets(request, actor)
    dataset = await _dataset(request, actor, known)
    asked = await _asked(request, actor, shell)
    listed, first, failure = await _looked_at(request, actor, asked)
    candidates = _candidates(listed, first, shell, sent.ticked)
    shown = next((one.value for one in candidates if one.chosen), None)
    filled = () if dataset is None else _filled(request, dataset, sent.form, None if shown is None else (first, shown))
    query = _query(asked, request)
    page = CapturePage(
        shell=shell,
        title=say_to(request, "Add to a dataset"),
        base=base_of(request),
        here=f"{base_of(request)}/capture",
        query=urlencode([*query, ("dataset", str(dataset.id))] if dataset else query),
        asked=tuple(query),
        each_span=asked.request.each_span if asked.search else None,
        other_unit=urlencode(_other_unit(query, asked, dataset)),
        datasets=known,
        dataset=dataset,
        candidates=candidates,
        more=listed.more,
        filled=filled,
        suggested=_suggested(first),
        failure=failure,
        form=sent.form,
        made=sent.made,
        may_create=actor.may(p.DATASETS_CREATE),
    )
    return renderer.respond(page, status=status)


async def _looked_at(request: Request, actor: Actor, asked: _Asked) -> tuple[Listed, Trace | None, str]:
    """Returns what there is to capture, the first trace of it, and what went wrong in words."""
    nothing = Listed((), ())
    if asked.failure:
        return nothing, None, asked.failure
    deadline = deadline_of(request)
    try:
        listed = await parts_of(request).captures.listed(actor, asked.request, deadline)
        if not listed.origins:
            return listed, None, ""
        answer = await traces_of(request).trace(actor, listed.origins[0].trace_id, deadline, listed.within)
    except Problem as problem:
        return nothing, None, problem.detail
    return listed, answer.trace, ""


def _candidates(
    listed: Listed, first: Trace | None, shell: Shell, ticked: frozenset[str] | None
) -> tuple[Candidate, ...]:
    """Returns what can be ticked, all of it at first."""
    hits: dict[str, TraceHit] = {one.hit.trace_id: one.hit for one in listed.found}
    traces = shell.place.home if shell.place else ""
    found = []
    for origin in listed.origins:
        value = f"{origin.trace_id}/{origin.span_id}" if origin.span_id else origin.trace_id
        href = f"{traces}/{origin.trace_id}" + (f"?span={origin.span_id}" if origin.span_id else "")
        hit = hits.get(origin.trace_id)
        name, service, start = _said_of_hit(hit, origin) if hit else _said_of_trace(first, origin)
        at = None if start is None else datetime_of(start)
        found.append(Candidate(value, name or value, service or "", at, href, ticked is None or value in ticked))
    return tuple(found)


def _said_of_hit(hit: TraceHit, origin: Origin) -> tuple[str | None, str | None, int | None]:
    span = next((one for one in hit.spans if one.span_id == origin.span_id), None)
    return (span.name, span.service, span.start) if span else (hit.root_name, hit.root_service, hit.start)


def _said_of_trace(trace: Trace | None, origin: Origin) -> tuple[str | None, str | None, int | None]:
    if trace is None:
        return None, None, None
    span = trace.by_id.get(SpanId(origin.span_id)) if origin.span_id else trace.root
    return (span.name, span.service_name, span.start) if span else (None, None, None)


def _filled(
    request: Request, dataset: DatasetView, form: FormState, first: tuple[Trace | None, str] | None
) -> tuple[Filled, ...]:
    """Returns the columns with their sources, and what they would hold."""
    most = parts_of(request).datasets.maker.limits.cell_bytes_max
    found = []
    for column in dataset.columns:
        source = form.value(_field(column), usual_source(column)).strip()
        text, error = "", ""
        if source:
            try:
                wanted = read_source(source, Scope.TRACES)
                trace, value = first or (None, "")
                if trace is not None and value.startswith(trace.trace_id):
                    values = values_of(trace, _origin(value), [(column, wanted)], most)
                    whole = written(column.type, values.get(column.name))
                    text = whole if len(whole) <= _PREVIEW else whole[:_PREVIEW] + _LONGER
            except BadSource as exc:
                error = str(exc)
            except NothingSaid:
                text = ""
        found.append(Filled(column, _field(column), source, text, error))
    return tuple(found)


def _suggested(trace: Trace | None) -> tuple[str, ...]:
    """Returns sources that can be chosen: the usual ones, and the attributes that the first trace has."""
    usual = [f"trace:{name}" for name in TRACE_NAMES]
    if trace is None:
        return tuple(usual)
    attributes: Mapping[str, Any] = {name: None for span in trace.spans for name in span.attributes}
    return (*usual, *(f"span:{name}" for name in sorted(attributes)[:_SUGGESTED]))


def _query(asked: _Asked, request: Request) -> list[tuple[str, str]]:
    """Returns the address's own words, with the range of a search no longer following the clock."""
    parameters = request.query_params
    if asked.search is None:
        return [(name, parameters[name]) for name in ("trace", "span") if parameters.get(name)]
    window = asked.search.window
    moments = {} if window is None else {"from": window.start, "to": window.end}
    said = [("q", asked.search.query), ("range", "custom" if moments else asked.search.chosen.key)]
    said += [(name, datetime_of(moment).isoformat()) for name, moment in moments.items()]
    said += [("source", source) for source in asked.search.asked]
    return [*said, ("unit", "span")] if asked.request.each_span else said


def _other_unit(query: list[tuple[str, str]], asked: _Asked, dataset: DatasetView | None) -> list[tuple[str, str]]:
    """Returns the address for spans in place of traces, or the other way round."""
    rest = [pair for pair in query if pair[0] != "unit"] + ([("dataset", str(dataset.id))] if dataset else [])
    return rest if asked.request.each_span else [*rest, ("unit", "span")]
