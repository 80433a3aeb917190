"""The frame around every page: where a person is, where they can go, how they like it."""

from __future__ import annotations

import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Literal, Protocol
from uuid import UUID

from starlette.requests import Request

from arcane.access import permissions as p
from arcane.kit.actor import Actor
from web.flash import Flash, Flashes
from web.i18n import Language
from web.security import nonce_of

Theme = Literal["system", "light", "dark"]
THEMES: tuple[Theme, ...] = ("system", "light", "dark")
THEME_COOKIE = "arcane_theme"
ZONE_COOKIE = "arcane_zone"


@dataclass(frozen=True, slots=True)
class Place:
    """A project somebody can go to, and whether the datasources of its organisation are theirs to see."""

    organisation: str
    organisation_name: str
    project: str
    project_name: str
    project_id: UUID
    reads_datasources: bool = True
    reads_models: bool = True

    @property
    def home(self) -> str:
        """The address of the project's traces."""
        return f"/o/{self.organisation}/p/{self.project}/traces"

    @property
    def metrics(self) -> str:
        """The address of the project's metrics."""
        return f"/o/{self.organisation}/p/{self.project}/metrics"

    @property
    def datasets(self) -> str:
        """The address of the project's datasets."""
        return f"/o/{self.organisation}/p/{self.project}/datasets"

    @property
    def captures(self) -> str:
        """The address where traces become rows of a dataset."""
        return f"{self.datasets}/capture"

    def at(self, area: str) -> str:
        """Returns the address of one of the project's areas: experiments, evaluations."""
        return f"/o/{self.organisation}/p/{self.project}/{area}"

    @property
    def prompts(self) -> str:
        """The address of the project's prompts."""
        return f"/o/{self.organisation}/p/{self.project}/prompts"

    @property
    def playground(self) -> str:
        """The address of the project's playground."""
        return f"/o/{self.organisation}/p/{self.project}/playground"

    @property
    def scores(self) -> str:
        """The address of the project's scores."""
        return f"/o/{self.organisation}/p/{self.project}/scores"

    @property
    def jobs(self) -> str:
        """The address of the project's jobs."""
        return f"/o/{self.organisation}/p/{self.project}/jobs"

    @property
    def settings(self) -> str:
        """The address of the project's settings."""
        return f"/o/{self.organisation}/p/{self.project}/settings"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in."""

    name: str
    email: str

    @property
    def initial(self) -> str:
        """The letter in the avatar."""
        return (self.name or self.email or "?")[0]


@dataclass(frozen=True, slots=True)
class RailLink:
    """An entry of the left rail; `key` is what a page names to be marked as current."""

    key: str
    label: str
    href: str
    icon: str


@dataclass(frozen=True, slots=True)
class RailGroup:
    """Entries under one heading."""

    label: str
    links: tuple[RailLink, ...]


@dataclass(frozen=True, slots=True)
class Shell:
    """What layout.html and shell.html show around a page."""

    language: Language
    theme: Theme
    zone: tzinfo
    zone_name: str
    nonce: str
    path: str
    csrf_token: str = ""
    flashes: tuple[Flash, ...] = ()
    person: Person | None = None
    organisation: str = ""
    organisation_name: str = ""
    place: Place | None = None
    places: tuple[Place, ...] = ()
    rail: tuple[RailGroup, ...] = ()
    section: str = ""
    instance: bool = False


class Directory(Protocol):
    """Where pages learn what a signed-in person may go to."""

    async def places(self, request: Request, actor: Actor) -> Sequence[Place]:
        """Returns the projects `actor` can open, in the order to show them."""
        ...

    async def actor_at(self, request: Request, place: Place) -> Actor:
        """Returns who the person is in the project of `place`."""
        ...


def plain_shell(request: Request, language: Language, *, section: str = "") -> Shell:
    """Returns the frame of a page without a tenant: sign-in, errors, the style guide."""
    session = getattr(request.state, "session", None)
    zone, zone_name = zone_of(request)
    return Shell(
        language=language,
        theme=theme_of(request),
        zone=zone,
        zone_name=zone_name,
        nonce=nonce_of(request.scope),
        path=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        csrf_token=getattr(session, "csrf_token", ""),
        flashes=Flashes.of(request).messages,
        person=Person(session.name, session.email) if session is not None else None,
        section=section,
    )


def rail_of(language: Language, organisation: str, place: Place | None, actor: Actor) -> tuple[RailGroup, ...]:
    """Returns the rail's entries: only pages that exist, only those `actor` may open."""
    say = language.gettext
    base = f"/o/{organisation}/settings"
    labels = (say("Observe"), say("Evaluate"), say("Operate"), say("Settings"))
    groups: list[tuple[str, list[RailLink]]] = [(label, []) for label in labels]
    observe, evaluate, operate, settings = (links for _, links in groups)
    if place is not None and actor.may(p.TRACES_READ):
        observe.append(RailLink("traces", say("Traces"), place.home, "search"))
        observe.append(RailLink("metrics", say("Metrics"), place.metrics, "chart-line"))
    if place is not None and actor.may(p.PROMPTS_READ):
        evaluate.append(RailLink("prompts", say("Prompts"), place.prompts, "scroll-text"))
    if place is not None and actor.may(p.PROMPTS_RUN):
        evaluate.append(RailLink("playground", say("Playground"), place.playground, "play"))
    if place is not None and actor.may(p.DATASETS_READ):
        evaluate.append(RailLink("datasets", say("Datasets"), place.datasets, "table"))
    if place is not None and actor.may(p.SCORES_READ):
        evaluate.append(RailLink("scores", say("Scores"), place.scores, "ruler"))
    if place is not None and actor.may(p.EXPERIMENTS_READ):
        evaluate.append(RailLink("experiments", say("Experiments"), place.at("experiments"), "flask-conical"))
    if place is not None and actor.may(p.EVALUATIONS_READ):
        evaluate.append(RailLink("evaluations", say("Evaluations"), place.at("evaluations"), "gauge"))
    reads_datasources = place.reads_datasources if place is not None else actor.may(p.DATASOURCES_READ)
    if organisation and reads_datasources:
        operate.append(RailLink("datasources", say("Datasources"), f"{base}/datasources", "database"))
    reads_models = place.reads_models if place is not None else actor.may(p.MODEL_CONFIGURATIONS_READ)
    if organisation and reads_models:
        operate.append(RailLink("models", say("Models"), f"{base}/models", "bot"))
    if place is not None and actor.may(p.JOBS_READ):
        operate.append(RailLink("jobs", say("Jobs"), place.jobs, "list-checks"))
    if place is not None and actor.may(p.PROJECTS_READ):
        settings.append(RailLink("project", say("Project"), place.settings, "sliders-horizontal"))
    if organisation:
        settings.append(RailLink("organisation", say("Organisation"), base, "settings"))
    return tuple(RailGroup(label, tuple(links)) for label, links in groups if links)


def theme_of(request: Request) -> Theme:
    """Returns the theme the person chose, `system` until they do."""
    chosen = request.cookies.get(THEME_COOKIE)
    return next((theme for theme in THEMES if theme == chosen), "system")


def zone_of(request: Request) -> tuple[tzinfo, str]:
    """Returns the browser's time zone as the early script told it, UTC until it does."""
    name = request.cookies.get(ZONE_COOKIE, "")
    try:
        return (zoneinfo.ZoneInfo(name), name) if name else (UTC, "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return UTC, "UTC"
