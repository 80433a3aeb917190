"""What of the traces a caller may see in a project: the project's filter, and the attributes hidden from them.

Asked on every search and every trace, so it is remembered like permissions are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from arcane.access.authoriser import TOPIC
from arcane.access.memory import Memory
from arcane.access.repository.projects import ProjectRepository
from arcane.access.repository.visibility import VisibilityRepository
from arcane.access.scope import ProjectScope, TraceFilter
from arcane.access.service.base import unknown
from arcane.kit.actor import Actor
from arcane.kit.announce import Announcer
from arcane.kit.database import Database
from arcane.settings import AccessSettings


@dataclass(frozen=True, slots=True)
class _Rules:
    trace_filter: TraceFilter | None
    hidden_from: tuple[tuple[str, frozenset[UUID]], ...]


class ScopeService:
    """Scopes of projects. One a process."""

    def __init__(self, settings: AccessSettings, database: Database, announcer: Announcer) -> None:
        self._database = database
        self._rules: Memory[UUID, _Rules] = Memory(
            announcer, entries=settings.cache_entries, max_age_s=settings.cache_seconds
        )
        announcer.subscribe(TOPIC, self._on_change)

    async def of(self, actor: Actor) -> ProjectScope:
        """Returns the actor's scope in its project. An attribute is hidden when any role of theirs is named."""
        if actor.project_id is None:
            raise unknown("project")
        rules = await self._rules.get_or_load(actor.project_id, lambda: self._load(actor))
        if rules is None:
            raise unknown("project")
        hidden = frozenset(name for name, roles in rules.hidden_from if roles & actor.role_ids)
        return ProjectScope(rules.trace_filter, hidden)

    async def _load(self, actor: Actor) -> _Rules | None:
        anyone = replace(actor, permissions=frozenset({"projects:read"}))
        async with self._database.transaction(anyone.tenant) as session:
            project = await ProjectRepository(session).get(anyone, anyone.project_id or UUID(int=0))
            rules = await VisibilityRepository(session).every(anyone)
        if project is None:
            return None
        name, value = project.trace_filter_attribute_name, project.trace_filter_attribute_value
        trace_filter = TraceFilter(name, value) if name is not None and value is not None else None
        hidden = tuple((rule.attribute_name, frozenset(role.id for role in rule.hidden_from)) for rule in rules)
        return _Rules(trace_filter, hidden)

    def _on_change(self, key: str) -> None:
        if not key.startswith(("user:", "session:", "key:")):
            self._rules.forget()
