"""Attribute visibility: which attributes of a project's traces are hidden from whoever holds which role."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.repository.roles import RoleRepository
from arcane.access.repository.visibility import VisibilityRepository
from arcane.access.service.base import Service, unique, unknown
from arcane.access.tables import AttributeVisibilityRule
from arcane.access.views import Rule
from arcane.kit.actor import Actor
from arcane.kit.pagination import Page, PageRequest
from arcane.kit.problems import Conflict
from arcane.kit.seen import check_seen
from arcane.kit.tables import now

RULES_MAX = 500
"""Most rules of a project: they are applied to every span that is shown."""


@dataclass(frozen=True, slots=True)
class VisibilityService(Service):
    """Rules of the actor's project."""

    async def page(self, actor: Actor, request: PageRequest) -> Page[Rule]:
        """Returns a page, oldest first."""
        async with self.database.transaction(actor.tenant) as session:
            return await VisibilityRepository(session).page(actor, request, self.cursors)

    async def create(self, actor: Actor, attribute_name: str, role_ids: Collection[UUID]) -> Rule:
        """Whoever holds one of the roles does not see the attribute any more."""
        if actor.organisation_id is None or actor.project_id is None:
            raise unknown("project")
        async with self.database.transaction(actor.tenant) as session:
            rules = VisibilityRepository(session)
            await _check_roles(session, actor, role_ids)
            if len(await rules.every(actor)) >= RULES_MAX:
                raise Conflict(f"the project has {RULES_MAX} rules already")
            row = AttributeVisibilityRule(
                organisation_id=actor.organisation_id,
                project_id=actor.project_id,
                attribute_name=attribute_name,
                updated_by=actor.name,
            )
            taken = "there is a rule for this attribute already"
            async with unique(session, "uq_attribute_visibility_rules_project_id_attribute_name", taken):
                session.add(row)
            await rules.set_roles(row, set(role_ids))
            return await self._recorded(session, actor, row.id, "attribute-visibility-rule.created", None)

    async def update(
        self, actor: Actor, rule_id: UUID, role_ids: Collection[UUID], seen: datetime | None = None
    ) -> Rule:
        """The attribute is hidden from exactly these roles; raises Conflict when somebody else changed the rule."""
        async with self.database.transaction(actor.tenant) as session:
            rules = VisibilityRepository(session)
            row, before = await _present(rules, actor, rule_id)
            check_seen("rule", seen, row.updated_at)
            await _check_roles(session, actor, role_ids)
            row.updated_at, row.updated_by = now(), actor.name
            await rules.set_roles(row, set(role_ids))
            return await self._recorded(session, actor, row.id, "attribute-visibility-rule.updated", before)

    async def delete(self, actor: Actor, rule_id: UUID, seen: datetime | None = None) -> None:
        """Everybody in the project sees the attribute again; raises Conflict when somebody else changed the rule."""
        async with self.database.transaction(actor.tenant) as session:
            row, before = await _present(VisibilityRepository(session), actor, rule_id)
            check_seen("rule", seen, row.updated_at)
            await session.delete(row)
            resource = ("attribute_visibility_rule", rule_id)
            await self.audit.record(session, actor, "attribute-visibility-rule.deleted", resource, _shown(before))
            await self.changed(session)

    async def _recorded(
        self, session: AsyncSession, actor: Actor, rule_id: UUID, action: str, before: Rule | None
    ) -> Rule:
        _, after = await _present(VisibilityRepository(session), actor, rule_id)
        resource = ("attribute_visibility_rule", rule_id)
        old = None if before is None else _shown(before)
        await self.audit.record(session, actor, action, resource, old, _shown(after))
        await self.changed(session)
        return after


async def _check_roles(session: AsyncSession, actor: Actor, role_ids: Collection[UUID]) -> None:
    known = await RoleRepository(session).nameable(actor, role_ids)
    if {role.id for role in known} != set(role_ids):
        raise unknown("role")


async def _present(rules: VisibilityRepository, actor: Actor, rule_id: UUID) -> tuple[AttributeVisibilityRule, Rule]:
    found = await rules.get(actor, rule_id)
    if found is None:
        raise unknown("rule")
    return found


def _shown(rule: Rule) -> dict[str, object]:
    return {"attribute_name": rule.attribute_name, "hidden_from": [role.name for role in rule.hidden_from]}
