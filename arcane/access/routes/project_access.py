"""A project's API keys and attribute visibility."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi import status as http

from arcane.access import permissions as p
from arcane.access.routes.given import ApiKeys, Visibility, api_key_of
from arcane.access.schemas import projects as s
from arcane.kit.actor import Actor
from arcane.kit.guard import requires, signed_in
from arcane.kit.lists import Paging

router = APIRouter(tags=["projects"])

_KEYS = "/projects/{project_id}/api-keys"
_RULES = "/projects/{project_id}/attribute-visibility-rules"


@router.get(_KEYS)
async def list_api_keys(
    project_id: UUID, api_keys: ApiKeys, paging: Paging, actor: Annotated[Actor, requires(p.PROJECTS_API_KEYS_READ)]
) -> s.ApiKeys:
    """Lists keys, newest first; never the keys themselves."""
    page = await api_keys.page(actor, paging)
    return s.ApiKeys(items=[s.ApiKeyOut.model_validate(row) for row in page.items], next=page.next)


@router.get("/api-keys/current")
async def get_current_api_key(request: Request, caller: Annotated[Actor, signed_in()]) -> s.CurrentApiKey:
    """Returns the key that the request came with, and the project it opens: a client needs nothing but its key."""
    return s.CurrentApiKey.model_validate(api_key_of(request))


@router.post(_KEYS, status_code=http.HTTP_201_CREATED)
async def create_api_key(
    project_id: UUID,
    body: s.ApiKeyCreate,
    api_keys: ApiKeys,
    actor: Annotated[Actor, requires(p.PROJECTS_API_KEYS_MANAGE)],
) -> s.ApiKeyMade:
    """Makes a key and shows it this once."""
    made = await api_keys.create(actor, body.name, body.scope, body.expires_at)
    return s.ApiKeyMade.model_validate({**made.row.model_dump(), "key": made.key})


@router.delete(_KEYS + "/{key_id}", status_code=http.HTTP_204_NO_CONTENT)
async def revoke_api_key(
    project_id: UUID, key_id: UUID, api_keys: ApiKeys, actor: Annotated[Actor, requires(p.PROJECTS_API_KEYS_MANAGE)]
) -> None:
    """Revokes a key: it opens nothing any more."""
    await api_keys.revoke(actor, key_id)


@router.get(_RULES)
async def list_rules(
    project_id: UUID,
    visibility: Visibility,
    paging: Paging,
    actor: Annotated[Actor, requires(p.PROJECTS_ATTRIBUTE_VISIBILITY_READ)],
) -> s.Rules:
    """Lists which attributes are hidden from which roles."""
    page = await visibility.page(actor, paging)
    return s.Rules(items=[s.RuleOut.model_validate(rule) for rule in page.items], next=page.next)


@router.post(_RULES, status_code=http.HTTP_201_CREATED)
async def create_rule(
    project_id: UUID,
    body: s.RuleCreate,
    visibility: Visibility,
    actor: Annotated[Actor, requires(p.PROJECTS_ATTRIBUTE_VISIBILITY_MANAGE)],
) -> s.RuleOut:
    """Hides an attribute from whoever holds one of the roles."""
    return s.RuleOut.model_validate(await visibility.create(actor, body.attribute_name, body.hidden_role_ids))


@router.put(_RULES + "/{rule_id}")
async def update_rule(
    project_id: UUID,
    rule_id: UUID,
    body: s.RuleUpdate,
    visibility: Visibility,
    actor: Annotated[Actor, requires(p.PROJECTS_ATTRIBUTE_VISIBILITY_MANAGE)],
) -> s.RuleOut:
    """Hides the attribute from exactly these roles."""
    return s.RuleOut.model_validate(await visibility.update(actor, rule_id, body.hidden_role_ids, body.seen))


@router.delete(_RULES + "/{rule_id}", status_code=http.HTTP_204_NO_CONTENT)
async def delete_rule(
    project_id: UUID,
    rule_id: UUID,
    visibility: Visibility,
    actor: Annotated[Actor, requires(p.PROJECTS_ATTRIBUTE_VISIBILITY_MANAGE)],
) -> None:
    """Shows the attribute to everybody again."""
    await visibility.delete(actor, rule_id)
