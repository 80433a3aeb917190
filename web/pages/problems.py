"""What a problem type means: the page that the `type` of every problem detail leads to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import ClassVar

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from arcane.kit.guard import public
from arcane.kit.problems import NotFound, Problem
from web.rendering import Page, renderer_of

router = APIRouter(include_in_schema=False)
DOCS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "problems"
_SLUG = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemPage(Page):
    template: ClassVar[str] = "problem.html"

    text: Markup


@router.get("/problems/{slug}", dependencies=[public("documentation")])
async def problem(request: Request, slug: str) -> Response:
    known = {kind.slug: kind for kind in problem_types()}
    if not _SLUG.fullmatch(slug) or slug not in known:
        raise NotFound("there is no problem of this type")
    renderer = renderer_of(request)
    page = ProblemPage(shell=renderer.plain_shell(request), title=known[slug].title, text=_text(known[slug]))
    return renderer.respond(page)


def problem_types(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    """Yields every type of problem that the running code can raise."""
    yield kind
    for narrower in kind.__subclasses__():
        yield from problem_types(narrower)


def _text(kind: type[Problem]) -> Markup:
    """The page of the documentation; in an installation without it, what the code says of itself."""
    file = DOCS / f"{kind.slug}.md"
    source = file.read_text("utf-8") if file.is_file() else f"# {kind.title}\n\n{kind.__doc__ or ''}"
    markdown = import_module("markdown_it").MarkdownIt("commonmark", {"html": False})
    return Markup(markdown.render(source))  # noqa: S704 - our own pages, html off
