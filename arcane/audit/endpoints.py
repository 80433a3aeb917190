"""The audit log over HTTP: of the instance, of an organisation, of a project."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from arcane.audit.schemas import AuditEntries, AuditEntryOut
from arcane.audit.service import AuditLog
from arcane.kit.actor import Actor
from arcane.kit.guard import requires
from arcane.kit.lists import Paging

router = APIRouter(tags=["audit"])

READ_INSTANCE = "*"
READ_ORGANISATION = "organisations:audit:read"
READ_PROJECT = "projects:audit:read"

Action = Annotated[
    str | None,
    Query(max_length=200, description="Only this action; `*` stands for any characters.", examples=["api_key.*"]),
]


async def _audit(request: Request) -> AuditLog:
    audit: AuditLog = request.app.state.audit
    return audit


Audit = Annotated[AuditLog, Depends(_audit)]


@router.get("/audit-entries")
async def list_instance_entries(
    audit: Audit, paging: Paging, actor: Annotated[Actor, requires(READ_INSTANCE)], action: Action = None
) -> AuditEntries:
    """Everything that happened on this instance, sign-ins included."""
    return await _list(audit, actor, paging, action)


@router.get("/organisations/{organisation_id}/audit-entries")
async def list_organisation_entries(
    organisation_id: UUID,
    audit: Audit,
    paging: Paging,
    actor: Annotated[Actor, requires(READ_ORGANISATION)],
    action: Action = None,
) -> AuditEntries:
    """Everything that happened in the organisation and its projects."""
    return await _list(audit, actor, paging, action)


@router.get("/projects/{project_id}/audit-entries")
async def list_project_entries(
    project_id: UUID,
    audit: Audit,
    paging: Paging,
    actor: Annotated[Actor, requires(READ_PROJECT)],
    action: Action = None,
) -> AuditEntries:
    """Everything that happened in the project."""
    return await _list(audit, actor, paging, action)


async def _list(audit: AuditLog, actor: Actor, paging: Paging, action: str | None) -> AuditEntries:
    page = await audit.entries(actor, paging, action)
    return AuditEntries(items=[AuditEntryOut.of(entry) for entry in page.items], next=page.next)
