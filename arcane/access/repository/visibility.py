"""Selects attribute visibility rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.tables import AttributeVisibilityRule, AttributeVisibilityRuleRole, Role
from arcane.access.views import RoleName, Rule
from arcane.kit.actor import Actor
from arcane.kit.keyset import Keyset
from arcane.kit.pagination import Cursors, Page, PageRequest

_BY_AGE = Keyset("attribute_visibility_rules", (col(AttributeVisibilityRule.id),), tuple[UUID])


@dataclass(frozen=True, slots=True)
class VisibilityRepository:
    """Selects inside one transaction."""

    session: AsyncSession

    def visible_to(self, actor: Actor) -> Select[Any]:
        """Selects the rules of the actor's project."""
        return (
            select(AttributeVisibilityRule)
            .where(col(AttributeVisibilityRule.organisation_id) == actor.organisation_id)
            .where(col(AttributeVisibilityRule.project_id) == actor.project_id)
        )

    async def page(self, actor: Actor, request: PageRequest, cursors: Cursors) -> Page[Rule]:
        """Returns a page, oldest first."""
        rows = (await self.session.scalars(_BY_AGE.select_after(self.visible_to(actor), request, cursors))).all()
        return _BY_AGE.page(await self._shown(rows), request, cursors, lambda rule: (rule.id,))

    async def every(self, actor: Actor) -> list[Rule]:
        """Returns all rules of the project: they are applied together."""
        return await self._shown((await self.session.scalars(self.visible_to(actor))).all())

    async def get(self, actor: Actor, rule_id: UUID) -> tuple[AttributeVisibilityRule, Rule] | None:
        """Returns one rule, to be changed, and how it looks."""
        statement = self.visible_to(actor).where(col(AttributeVisibilityRule.id) == rule_id).with_for_update()
        row: AttributeVisibilityRule | None = (await self.session.scalars(statement)).first()
        return None if row is None else (row, (await self._shown([row]))[0])

    async def set_roles(self, rule: AttributeVisibilityRule, role_ids: Iterable[UUID]) -> None:
        """The rule hides from exactly these roles."""
        await self.session.execute(
            delete(AttributeVisibilityRuleRole).where(col(AttributeVisibilityRuleRole.rule_id) == rule.id)
        )
        self.session.add_all(
            AttributeVisibilityRuleRole(
                organisation_id=rule.organisation_id, project_id=rule.project_id, rule_id=rule.id, role_id=role_id
            )
            for role_id in role_ids
        )
        await self.session.flush()

    async def _shown(self, rows: Sequence[AttributeVisibilityRule]) -> list[Rule]:
        hidden: dict[UUID, list[RoleName]] = {}
        statement = _hidden_roles().where(col(AttributeVisibilityRuleRole.rule_id).in_([row.id for row in rows]))
        for rule_id, role_id, name in (await self.session.execute(statement)).all():
            hidden.setdefault(rule_id, []).append(RoleName(role_id, name))
        return [
            Rule(row.id, row.attribute_name, tuple(hidden.get(row.id, ())), row.updated_at, row.updated_by)
            for row in rows
        ]


def _hidden_roles() -> Select[Any]:
    """Only ever narrowed to rules that were visible."""
    statement: Any = select(col(AttributeVisibilityRuleRole.rule_id), col(Role.id), col(Role.name))
    joined: Select[Any] = statement.join(Role, col(Role.id) == col(AttributeVisibilityRuleRole.role_id))
    return joined.order_by(col(Role.id))
