"""Every component in every state, light and dark side by side. Only served in development."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter, Request, Response

from arcane.kit.guard import public
from arcane.spi.described import SentRequest
from web.charts import Chart, LegendRow
from web.icons import ICONS
from web.rendering import Page, renderer_of
from web.sources import SourceLine
from web.timerange import PRESETS, Chosen, Preset, presets

router = APIRouter(include_in_schema=False)

_COLOURS = [
    "bg",
    "surface",
    "sunken",
    "hover",
    "line",
    "line-strong",
    "line-control",
    "ink",
    "ink-2",
    "ink-3",
    "accent",
    "accent-strong",
    "accent-soft",
    "focus",
    "error",
    "error-soft",
    "warn",
    "warn-soft",
    "ok",
    "ok-soft",
    "kind-agent",
    "kind-llm",
    "kind-tool",
    "kind-retriever",
    "kind-guardrail",
    "kind-plain",
    "kind-error",
    *(f"series-{number}" for number in range(1, 9)),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleguidePage(Page):
    template: ClassVar[str] = "styleguide/page.html"

    colours: tuple[str, ...]
    icons: tuple[str, ...]
    sources: tuple[SourceLine, ...]
    request: SentRequest
    presets: tuple[Preset, ...]
    chosen: Chosen
    chart: Chart


@router.get("/styleguide", dependencies=[public("shows components and no data; not mounted in production")])
async def styleguide(request: Request) -> Response:
    renderer = renderer_of(request)
    language = renderer.language(request)
    page = StyleguidePage(
        shell=renderer.plain_shell(request),
        title="Style guide",
        colours=tuple(_COLOURS),
        icons=tuple(sorted(ICONS)),
        sources=_sources(),
        request=SentRequest(
            "GET", "/api/search", (("q", "{ status = error } | select(name)"), ("limit", "50")), "for each window"
        ),
        presets=presets(language),
        chosen=Chosen(key=PRESETS[2][0], label="Last 1 hour"),
        chart=_chart(),
    )
    return renderer.respond(page)


def _chart() -> Chart:
    names = ("gateway", "agent-api", "retriever")
    values = [[round(2 + at + math.sin(step / 3 + at), 3) for step in range(40)] for at in range(len(names))]
    rows = tuple(
        LegendRow(at, name, f"service = {name}", at + 1, True, f"{own[-1]:.3g}/s", "2/s", "1/s", "3/s", sum(own))
        for at, (name, own) in enumerate(zip(names, values, strict=True))
    )
    series = [
        {"name": name, "top": None, "values": own, "exemplars": []} for name, own in zip(names, values, strict=True)
    ]
    data = {"kind": "lines", "unit": "per_second", "first": 1_772_625_600_000, "step": 60_000, "count": 40}
    return Chart({**data, "series": series}, False, rows, (), (), ())


def _sources() -> tuple[SourceLine, ...]:
    ok = SourceLine(
        id="sg-a", name="tempo-prod", kind="tempo", tone="ok", status_text="answered in full", rows_text="38",
        elapsed_text="118 ms", note="all asked there", pushed="{ status = error }", residual=None, asks=True,
        warnings=(), error=None,
    )  # fmt: skip
    return (
        ok,
        SourceLine(
            id="sg-b", name="clickhouse-eu", kind="clickhouse", tone="warn", status_text="approximate",
            rows_text="21", elapsed_text="64 ms", note="search depth reached", pushed=None,
            residual="{ status = error }", asks=True, warnings=("search depth reached, 4 branches left",), error=None,
        ),
        SourceLine(
            id="sg-c", name="jaeger-legacy", kind="jaeger", tone="error", status_text="failed", rows_text="0",
            elapsed_text="10.0 s", note="no answer before the deadline", pushed=None, residual=None, asks=True,
            warnings=(), error="No answer before the deadline.",
        ),
    )  # fmt: skip
