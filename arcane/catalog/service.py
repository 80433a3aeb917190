"""The catalog: the datasources of an organisation, and live adapters to ask them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.access.permissions import DATASOURCES_UPDATE
from arcane.audit.service import AuditLog
from arcane.catalog.configure import stored_model
from arcane.catalog.connection import ConnectionTest, tested
from arcane.catalog.editing import (
    Change,
    Configured,
    Draft,
    check_address,
    checked_texts,
    configured,
    reconfigured,
)
from arcane.catalog.health import HealthRecord
from arcane.catalog.memory import TOPIC, CatalogMemory
from arcane.catalog.pool import AdapterPool
from arcane.catalog.problems import (
    DatasourceChanged,
    DatasourceLimit,
    DatasourceNameTaken,
    FieldError,
    InvalidDatasource,
    UnknownDatasource,
)
from arcane.catalog.registry import Kind, Registry
from arcane.catalog.repository import DatasourceRepository
from arcane.catalog.rotation import RotationReport, rotated
from arcane.catalog.sealing import sealed
from arcane.catalog.tables import Datasource
from arcane.catalog.views import DatasourceView, HealthView, ReadableDatasource, audited
from arcane.federation.source import Source
from arcane.kit.actor import Actor, Tenant
from arcane.kit.announce import Announcer
from arcane.kit.database import Database
from arcane.kit.ids import new_id
from arcane.kit.pagination import Cursors, Page, PageRequest
from arcane.kit.problems import NotAllowed, NotFound
from arcane.kit.secrets import KeyRing
from arcane.kit.tables import now
from arcane.model.deadline import Deadline
from arcane.spi.adapter import DatasourcePlugin
from arcane.spi.errors import DatasourceError, Misconfigured

_ROTATION_BATCH = 100


@dataclass(frozen=True, slots=True)
class CatalogService:
    """Every method takes the actor whose organisation is meant; ids of other organisations are unknown."""

    database: Database
    audit: AuditLog
    announcer: Announcer
    registry: Registry
    keys: KeyRing
    cursors: Cursors
    pool: AdapterPool
    memory: CatalogMemory

    def kinds(self) -> tuple[Kind, ...]:
        """Returns every kind that was found, those that cannot be used included."""
        return self.registry.kinds

    async def page(self, actor: Actor, request: PageRequest) -> Page[DatasourceView]:
        """Returns a page of the organisation's datasources with all that may be seen of them, by name."""
        async with self.database.transaction(actor.tenant) as session:
            page = await DatasourceRepository(session).page(actor, request, self.cursors)
        return Page(tuple(self._view(row) for row in page.items), page.next)

    async def get(self, actor: Actor, datasource_id: UUID) -> DatasourceView:
        """Returns one datasource; raises UnknownDatasource."""
        async with self.database.transaction(actor.tenant) as session:
            row = await self._found(session, actor, datasource_id)
        return self._view(row)

    async def sources(self, actor: Actor, ids: Sequence[UUID] | None) -> list[Source]:
        """Returns live sources, all of the organisation's or those of `ids`; raises UnknownDatasource.

        Touches no database while nothing changed.
        """
        rows = await self._rows(actor)
        wanted = list(rows) if ids is None else list(dict.fromkeys(ids))
        for datasource_id in wanted:
            if datasource_id not in rows:
                raise _unknown(datasource_id)
        return [
            Source(str(row.id), row.name, row.kind, self.pool.adapter(row))
            for row in (rows[datasource_id] for datasource_id in wanted)
        ]

    async def list(self, actor: Actor) -> tuple[ReadableDatasource, ...]:
        """Returns what somebody who reads traces may know of the datasources, by name."""
        rows = await self._rows(actor)
        return tuple(
            ReadableDatasource(row.id, row.name, row.kind, HealthView.of(self.pool.health(row.id)))
            for row in rows.values()
        )

    async def create(self, actor: Actor, draft: Draft) -> DatasourceView:
        """Returns the new datasource; raises InvalidDatasource, DatasourceNameTaken or DatasourceLimit."""
        organisation_id = _organisation(actor)
        name, description = checked_texts(draft.name, draft.description)
        made = self._configured(draft.kind, draft.settings)
        datasource_id = new_id()
        row = Datasource(
            id=datasource_id,
            organisation_id=organisation_id,
            kind=draft.kind,
            name=name or "",
            description=description or "",
            settings=made.public,
            secrets=sealed(made.secrets, str(datasource_id), self.keys),
            created_by=actor.name,
        )
        async with self.database.transaction(actor.tenant) as session:
            most = self.pool.limits.datasources_per_organisation
            if await DatasourceRepository(session).count(actor) >= most:
                raise DatasourceLimit(f"an organisation has at most {most} datasources on this instance")
            await self._store(session, actor, row)
            await self.audit.record(session, actor, "datasource.created", ("datasource", row.id), after=audited(row))
        return self._view(row)

    async def update(self, actor: Actor, datasource_id: UUID, change: Change) -> DatasourceView:
        """Returns the changed datasource; raises what `create` does, and DatasourceChanged for an old version."""
        name, description = checked_texts(change.name, change.description)
        async with self.database.transaction(actor.tenant) as session:
            row = await self._found(session, actor, datasource_id, for_change=True)
            if change.version is not None and change.version != row.version:
                raise DatasourceChanged(
                    f"the datasource is at version {row.version}, the change was made for {change.version}"
                )
            before = audited(row)
            entered: tuple[str, ...] = ()
            row.name = row.name if name is None else name
            row.description = row.description if description is None else description
            if change.settings is not None:
                made = self._reconfigured(row, change.settings)
                fresh = {pointer: made.secrets[pointer] for pointer in made.entered}
                kept = {pointer: row.secrets[pointer] for pointer in made.secrets if pointer not in fresh}
                row.settings, entered = made.public, made.entered
                row.secrets = {**kept, **sealed(fresh, str(row.id), self.keys)}
            row.version += 1
            row.updated_at = now()
            await self._store(session, actor, row)
            after = {**audited(row), **({"credentials_entered": sorted(entered)} if entered else {})}
            await self.audit.record(
                session, actor, "datasource.updated", ("datasource", row.id), before=before, after=after
            )
        if change.settings is not None:
            self.pool.forget(row.id)
        return self._view(row)

    async def delete(self, actor: Actor, datasource_id: UUID) -> None:
        """The datasource is gone; requests under way with it finish. Raises UnknownDatasource."""
        async with self.database.transaction(actor.tenant) as session:
            row = await self._found(session, actor, datasource_id, for_change=True)
            await session.delete(row)
            await self.announcer.announce(session, TOPIC, str(row.organisation_id))
            await self.audit.record(session, actor, "datasource.deleted", ("datasource", row.id), before=audited(row))
        self.pool.forget(datasource_id, health=True)

    async def test_unsaved(
        self, actor: Actor, kind: str, settings: Mapping[str, Any], deadline: Deadline
    ) -> ConnectionTest:
        """Returns what answers with these settings; raises InvalidDatasource when they do not fit their kind."""
        _organisation(actor)
        plugin = self._plugin(kind)
        return await self._test(plugin, configured(plugin, settings).model, HealthRecord(), deadline)

    async def test_saved(
        self, actor: Actor, datasource_id: UUID, settings: Mapping[str, Any] | None, deadline: Deadline
    ) -> ConnectionTest:
        """Returns what answers at a stored datasource, with `settings` changed for the test.

        A changed address gets no stored secret (see Change), and trying changes needs the permission to make them.
        """
        if settings and not actor.may(DATASOURCES_UPDATE):
            raise NotAllowed("testing with other settings needs the permission to change them")
        async with self.database.transaction(actor.tenant) as session:
            row = await self._found(session, actor, datasource_id)
        plugin = self._plugin(row.kind)
        if settings:
            made = reconfigured(plugin, row, settings, self.keys)
            return await self._test(plugin, made.model, HealthRecord(), deadline)
        try:
            stored = stored_model(plugin, row, self.keys)
        except Misconfigured as exc:
            return ConnectionTest.failed(exc)
        return await self._test(plugin, stored, self.pool.health(row.id), deadline)

    async def rotate_secrets(self) -> RotationReport:
        """Every secret of the instance is encrypted with the first key of the ring. Safe to stop and run again."""
        report = RotationReport()
        last: UUID | None = None
        while True:
            async with self.database.transaction(Tenant(instance=True)) as session:
                batch = await DatasourceRepository(session).batch_after(last, _ROTATION_BATCH)
                for row in batch:
                    report, secrets = rotated(row, self.keys, report)
                    row.secrets = secrets
                    session.add(row)
            if not batch:
                return report
            last = batch[-1].id

    async def _rows(self, actor: Actor) -> Mapping[UUID, Datasource]:
        organisation_id = _organisation(actor)
        known = self.memory.known(organisation_id)
        if known is not None:
            return known
        moment = self.memory.moment()
        async with self.database.transaction(actor.tenant) as session:
            rows = await DatasourceRepository(session).all(actor)
        return self.memory.remember(organisation_id, rows, moment)

    async def _found(
        self, session: AsyncSession, actor: Actor, datasource_id: UUID, *, for_change: bool = False
    ) -> Datasource:
        row = await DatasourceRepository(session).find(actor, datasource_id, for_change=for_change)
        if row is None:
            raise _unknown(datasource_id)
        return row

    async def _store(self, session: AsyncSession, actor: Actor, row: Datasource) -> None:
        """The row is written and announced; of two writers with the same name the second one is told."""
        taken = DatasourceNameTaken(f"there is another datasource named {row.name}")
        with session.no_autoflush:
            if await DatasourceRepository(session).name_is_taken(actor, row.name, other_than=row.id):
                raise taken
        session.add(row)
        try:
            await session.flush()
        except IntegrityError as exc:
            if "uq_datasources_name" in str(exc.orig):
                raise taken from None
            raise
        await self.announcer.announce(session, TOPIC, str(row.organisation_id))

    async def _test(
        self, plugin: DatasourcePlugin[Any], settings: BaseModel, health: HealthRecord, deadline: Deadline
    ) -> ConnectionTest:
        try:
            adapter = self.pool.maker.make(plugin, settings, health)
        except DatasourceError as exc:
            return ConnectionTest.failed(exc)
        return await tested(adapter, deadline.within(self.pool.limits.connection_test_s))

    def _configured(self, kind: str, settings: Mapping[str, Any]) -> Configured:
        plugin = self._plugin(kind)
        made = configured(plugin, settings)
        check_address(plugin, made, self.pool.maker.egress)
        return made

    def _reconfigured(self, row: Datasource, settings: Mapping[str, Any]) -> Configured:
        plugin = self._plugin(row.kind)
        made = reconfigured(plugin, row, settings, self.keys)
        check_address(plugin, made, self.pool.maker.egress)
        return made

    def _plugin(self, kind: str) -> DatasourcePlugin[Any]:
        plugin = self.registry.plugin(kind)
        if plugin is None:
            raise InvalidDatasource([FieldError("#/kind", self.registry.why_not(kind))])
        return plugin

    def _view(self, row: Datasource) -> DatasourceView:
        return DatasourceView.of(row, self.registry, self.pool.health(row.id))


def _organisation(actor: Actor) -> UUID:
    if actor.organisation_id is None:
        raise NotFound("datasources belong to an organisation")
    return actor.organisation_id


def _unknown(datasource_id: UUID) -> UnknownDatasource:
    return UnknownDatasource("there is no such datasource", datasource_id=str(datasource_id))
