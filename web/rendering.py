"""Pages and templates. A page is a dataclass: its fields are the template's variables, all of them and no others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from arcane.kit.actor import Actor
from arcane.model.notice import Notice
from arcane.model.time import datetime_of
from web.assets import Assets
from web.flash import forget
from web.formatting import cost_text, count_text, day_text, duration_text, iso_text, short_id
from web.i18n import Language, Languages
from web.icons import ICONS
from web.shell import Directory, Shell, plain_shell, rail_of

TEMPLATES = Path(__file__).parent / "templates"
_TICKED = re.compile("`([^`]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one template shows. Subclasses name the template and add its variables."""

    template: ClassVar[str]

    shell: Shell
    title: str

    def variables(self) -> dict[str, Any]:
        """Returns the template's variables."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class Renderer:
    """Turns pages into HTML; one environment a language, so a template never asks who is reading."""

    environments: Mapping[str, Environment]
    languages: Languages
    directory: Directory

    def language(self, request: Request) -> Language:
        """Returns the language this request is answered in."""
        return self.languages.of(request)

    def plain_shell(self, request: Request, *, section: str = "") -> Shell:
        """Returns the frame of a page without a tenant."""
        return plain_shell(request, self.language(request), section=section)

    async def shell(self, request: Request, actor: Actor, *, section: str) -> Shell:
        """Returns the frame of a signed-in page: the organisation and project of the path, and where else to go."""
        shell = self.plain_shell(request, section=section)
        places = tuple(await self.directory.places(request, actor))
        organisation = str(request.path_params.get("organisation", ""))
        project = str(request.path_params.get("project", ""))
        here = [place for place in places if place.organisation == organisation]
        if not organisation and places:  # account and instance pages: the rail leads back to where work is
            here = [places[0]]
            organisation = places[0].organisation
        place = next((place for place in here if place.project == project), here[0] if here else None)
        there = actor if place is None or place.project == project else await self.directory.actor_at(request, place)
        return replace(
            shell,
            organisation=organisation,
            organisation_name=place.organisation_name if place else organisation,
            place=place,
            places=places,
            rail=rail_of(shell.language, organisation, place, there),
            instance=actor.may("*"),
        )

    def html(self, page: Page) -> str:
        """Returns the whole page."""
        return self._environment(page).get_template(page.template).render(page.variables())

    def fragment(self, page: Page, template: str) -> str:
        """Returns one part of the page: `template` is what the page's own template includes there."""
        return self._environment(page).get_template(template).render(page.variables())

    def respond(self, page: Page, *, status: int = 200) -> HTMLResponse:
        """Returns the whole page as an answer; waiting messages are shown on it and then forgotten."""
        response = HTMLResponse(self.html(page), status_code=status)
        if page.shell.flashes:
            forget(response)
        return response

    def _environment(self, page: Page) -> Environment:
        return self.environments[page.shell.language.code]


def renderer_of(request: Request) -> Renderer:
    """Returns the renderer that mount_pages put on the application."""
    renderer: Renderer = request.app.state.renderer
    return renderer


def environment(language: Language, assets: Assets, *, reloads: bool, folders: Sequence[Path] = ()) -> Environment:
    """Returns the Jinja environment for one language: escapes everything, fails on a name that is not there.

    A notice is told in that language wherever a template writes it.
    """
    made = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=reloads,
        finalize=lambda value: language.tell(value) if isinstance(value, Notice) else value,
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]
        language.gettext, language.ngettext, newstyle=True
    )
    made.filters["spoken"] = lambda text: language.tell(text or "")  # declared elsewhere, in English
    made.filters["marked"] = marked
    made.globals.update(
        asset=assets.url,
        glyph=lambda name, small=False: _glyph(assets, name, small=small),
        duration_text=duration_text,
        iso_text=iso_text,
        short_id=short_id,
        cost_text=cost_text,
        count_text=count_text,
        datetime_of=datetime_of,
        day_text=day_text,
    )
    return made


def marked(text: str) -> Markup:
    """Returns `text` with what stands between backticks as code.

    >>> marked("unexpected `<`; a `{` is missing")
    Markup('unexpected <code>&lt;</code>; a <code>{</code> is missing')
    >>> marked("one ` alone")
    Markup('one ` alone')
    """
    parts = enumerate(_TICKED.split(text))
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in parts)


def _glyph(assets: Assets, name: str, *, small: bool) -> Markup:
    """Returns the icon as decoration: what it means is said in words beside it or in a label."""
    if name not in ICONS:
        raise KeyError(f"{name!r} is not in web/icons.json")
    css = "icon-s" if small else "icon"
    href = escape(f"{assets.url('icons.svg')}#{name}")
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>').format(css, href)
