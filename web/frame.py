"""The frame of settings pages: which tabs an organisation, a project and the instance have, for whom."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from arcane.access import permissions as p
from arcane.kit.actor import Actor
from web.i18n import Language
from web.rendering import Page, renderer_of
from web.shell import Shell

Tab = tuple[str, str, str]
"""Key, label, address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsPage(Page):
    """A page with tabs above it."""

    tabs: tuple[Tab, ...]
    tab: str
    heading: str
    base: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page of one settings area shares; `of` a place, then the fields of SettingsPage."""

    shell: Shell
    heading: str
    base: str
    tabs: tuple[Tab, ...]

    def fields(self, tab: str) -> dict[str, object]:
        """Returns the shared fields of a SettingsPage."""
        label = next((label for key, label, _ in self.tabs if key == tab), self.heading)
        return {
            "shell": self.shell,
            "title": label,
            "tabs": self.tabs,
            "tab": tab,
            "heading": self.heading,
            "base": self.base,
        }


async def organisation_frame(request: Request, actor: Actor) -> Frame:
    """Returns the frame of an organisation's settings."""
    slug = request.path_params["organisation"]
    shell = await renderer_of(request).shell(request, actor, section="organisation")
    base = f"/o/{slug}/settings"
    return Frame(shell, shell.organisation_name or slug, base, _allowed(actor, _organisation(shell.language, base)))


async def datasources_frame(request: Request, actor: Actor) -> Frame:
    """Returns the frame of an organisation's datasources: they have an entry of their own in the rail."""
    slug = request.path_params["organisation"]
    shell = await renderer_of(request).shell(request, actor, section="datasources")
    return Frame(shell, shell.language.gettext("Datasources"), f"/o/{slug}/settings/datasources", ())


async def models_frame(request: Request, actor: Actor) -> Frame:
    """Returns the frame of an organisation's model configurations."""
    slug = request.path_params["organisation"]
    shell = await renderer_of(request).shell(request, actor, section="models")
    return Frame(shell, shell.language.gettext("Models"), f"/o/{slug}/settings/models", ())


async def scores_frame(request: Request, actor: Actor) -> Frame:
    """Returns the frame of a project's scores."""
    organisation, project = request.path_params["organisation"], request.path_params["project"]
    shell = await renderer_of(request).shell(request, actor, section="scores")
    return Frame(shell, shell.language.gettext("Scores"), f"/o/{organisation}/p/{project}/scores", ())


async def project_frame(request: Request, actor: Actor) -> Frame:
    """Returns the frame of a project's settings."""
    shell = await renderer_of(request).shell(request, actor, section="project")
    organisation, project = request.path_params["organisation"], request.path_params["project"]
    base = f"/o/{organisation}/p/{project}/settings"
    name = shell.place.project_name if shell.place is not None else project
    return Frame(shell, f"{shell.organisation_name} / {name}", base, _allowed(actor, _project(shell.language, base)))


async def jobs_frame(request: Request, actor: Actor) -> Frame:
    """Returns the frame of a project's jobs."""
    shell = await renderer_of(request).shell(request, actor, section="jobs")
    organisation, project = request.path_params["organisation"], request.path_params["project"]
    base = f"/o/{organisation}/p/{project}/jobs"
    say = shell.language.gettext
    tabs = (("runs", say("Runs"), base), ("dead", say("Dead letters"), f"{base}/dead-letters"))
    return Frame(shell, say("Jobs"), base, tabs)


async def instance_frame(request: Request, actor: Actor) -> Frame:
    """Returns the frame of the instance's pages."""
    shell = await renderer_of(request).shell(request, actor, section="instance")
    say = shell.language.gettext
    tabs = (
        ("organisations", say("Organisations"), "/instance"),
        ("people", say("People"), "/instance/people"),
        ("workers", say("Workers"), "/instance/workers"),
        ("audit", say("Audit"), "/instance/audit"),
    )
    return Frame(shell, say("This instance"), "/instance", tabs)


def _allowed(actor: Actor, tabs: tuple[tuple[str, Tab], ...]) -> tuple[Tab, ...]:
    return tuple(tab for permission, tab in tabs if actor.may(permission))


def _organisation(language: Language, base: str) -> tuple[tuple[str, Tab], ...]:
    say = language.gettext
    return (
        (p.ORGANISATIONS_READ, ("general", say("General"), base)),
        (p.ORGANISATIONS_READ, ("projects", say("Projects"), f"{base}/projects")),
        (p.ORGANISATIONS_MEMBERS_READ, ("members", say("Members"), f"{base}/members")),
        (p.ORGANISATIONS_ROLES_READ, ("roles", say("Roles"), f"{base}/roles")),
        (p.JOBS_READ, ("jobs", say("Jobs"), f"{base}/jobs")),
        (p.ORGANISATIONS_AUDIT_READ, ("audit", say("Audit"), f"{base}/audit")),
    )


def _project(language: Language, base: str) -> tuple[tuple[str, Tab], ...]:
    say = language.gettext
    return (
        (p.PROJECTS_READ, ("general", say("General"), base)),
        (p.PROJECTS_MEMBERS_READ, ("members", say("Members"), f"{base}/members")),
        (p.PROJECTS_API_KEYS_READ, ("keys", say("API keys"), f"{base}/keys")),
        (p.PROJECTS_ROLES_READ, ("roles", say("Roles"), f"{base}/roles")),
        (p.PROJECTS_ATTRIBUTE_VISIBILITY_READ, ("visibility", say("Hidden attributes"), f"{base}/visibility")),
        (p.PROJECTS_AUDIT_READ, ("audit", say("Audit"), f"{base}/audit")),
    )
