"""What happened, for whoever has to know: the instance's, an organisation's or a project's audit log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Query, Request, Response

from arcane.access import permissions as p
from arcane.audit.service import AuditLog
from arcane.audit.tables import AuditEntry
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.pagination import PageRequest
from web.frame import Frame, SettingsPage, instance_frame, organisation_frame, project_frame
from web.rendering import renderer_of

router = APIRouter(include_in_schema=False)
PAGE = 100
Action = Annotated[str, Query(max_length=100)]
Cursor = Annotated[str | None, Query(max_length=2048)]


@dataclass(frozen=True, slots=True)
class Changed:
    """One part of a state, before and after; "" where it was not there."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry and what changed in it."""

    row: AuditEntry
    changes: tuple[Changed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage(SettingsPage):
    template: ClassVar[str] = "settings/audit.html"

    entries: tuple[Entry, ...]
    action: str
    more: str


@router.get("/o/{organisation}/settings/audit")
async def of_organisation(
    request: Request,
    actor: Annotated[Actor, requires(p.ORGANISATIONS_AUDIT_READ)],
    action: Action = "",
    cursor: Cursor = None,
) -> Response:
    return await _show(request, actor, await organisation_frame(request, actor), (action, cursor))


@router.get("/o/{organisation}/p/{project}/settings/audit")
async def of_project(
    request: Request,
    actor: Annotated[Actor, requires(p.PROJECTS_AUDIT_READ)],
    action: Action = "",
    cursor: Cursor = None,
) -> Response:
    return await _show(request, actor, await project_frame(request, actor), (action, cursor))


@router.get("/instance/audit")
async def of_instance(
    request: Request, actor: Annotated[Actor, requires(p.ALL)], action: Action = "", cursor: Cursor = None
) -> Response:
    return await _show(request, actor, await instance_frame(request, actor), (action, cursor))


async def _show(request: Request, actor: Actor, frame: Frame, asked: tuple[str, str | None]) -> Response:
    action, cursor = asked
    log: AuditLog = request.app.state.audit
    found = await log.entries(actor, PageRequest(PAGE, cursor), action.strip() or None)
    page = AuditPage(
        **frame.fields("audit"),  # type: ignore[arg-type]
        entries=tuple(Entry(row, changes(row.before, row.after)) for row in found.items),
        action=action,
        more="?" + urlencode({"action": action, "cursor": found.next}) if found.next else "",
    )
    return renderer_of(request).respond(page)


def changes(before: dict[str, Any] | None, after: dict[str, Any] | None) -> tuple[Changed, ...]:
    """Returns what differs between two states, by name; parts of a part have their path as name."""
    old, new = dict(_texts(before or {})), dict(_texts(after or {}))
    return tuple(
        Changed(name, old.get(name, ""), new.get(name, ""))
        for name in sorted({*old, *new})
        if old.get(name, "") != new.get(name, "")
    )


def _texts(state: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for name, value in state.items():
        here = f"{path}{name}"
        if isinstance(value, Mapping):
            yield from _texts(value, f"{here}.")
        elif isinstance(value, list) and all(isinstance(part, str) for part in value):
            yield here, ", ".join(value)
        elif value is not None:
            yield here, value if isinstance(value, str) else msgspec.json.encode(value).decode()
