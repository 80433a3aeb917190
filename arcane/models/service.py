"""The model configurations of an organisation: who may be called, where, with which key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.audit.service import AuditLog
from arcane.catalog.problems import FieldError
from arcane.catalog.sealing import sealed, unsealed
from arcane.kit.actor import Actor, Tenant
from arcane.kit.database import Database
from arcane.kit.ids import new_id
from arcane.kit.pagination import Cursors, Page, PageRequest
from arcane.kit.problems import NotFound
from arcane.kit.secrets import KeyRing, SecretUnreadable
from arcane.kit.tables import now
from arcane.messaging.generation import ModelSpec
from arcane.models.configure import (
    PLACE,
    Change,
    Draft,
    checked_kind,
    checked_parameters,
    checked_text,
    configured,
    reconfigured,
    secrets_of,
    spec_of,
)
from arcane.models.problems import (
    InvalidModelConfiguration,
    ModelConfigurationChanged,
    ModelConfigurationInUse,
    ModelConfigurationLimit,
    ModelConfigurationNameTaken,
    UnknownModelConfiguration,
)
from arcane.models.repository import ModelRepository
from arcane.models.tables import ModelConfiguration
from arcane.models.views import ModelView, audited

_BATCH = 100


@dataclass(frozen=True, slots=True)
class RotatedModels:
    """What a rotation did. `unreadable` are configurations with a secret that no key of the ring opens."""

    configurations: int = 0
    secrets: int = 0
    rotated: int = 0
    unreadable: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelService:
    """Every method with an actor means that actor's organisation; ids of other organisations are unknown."""

    database: Database
    audit: AuditLog
    keys: KeyRing
    cursors: Cursors
    most: int

    async def page(self, actor: Actor, request: PageRequest) -> Page[ModelView]:
        """Returns a page of the organisation's configurations, by name."""
        async with self.database.transaction(actor.tenant) as session:
            page = await ModelRepository(session).page(actor, request, self.cursors)
        return Page(tuple(ModelView.of(row) for row in page.items), page.next)

    async def get(self, actor: Actor, configuration_id: UUID) -> ModelView:
        """Returns one configuration; raises UnknownModelConfiguration."""
        return ModelView.of(await self.row(actor, configuration_id))

    async def row(self, actor: Actor, configuration_id: UUID) -> ModelConfiguration:
        """Returns the stored row, for running it; raises UnknownModelConfiguration."""
        async with self.database.transaction(actor.tenant) as session:
            return await _found(session, actor, configuration_id)

    async def spec(self, session: AsyncSession, organisation_id: UUID, configuration_id: UUID) -> ModelSpec:
        """Returns what a worker is told of a configuration: all but its secrets. Raises UnknownModelConfiguration."""
        row = await ModelRepository(session).in_organisation(organisation_id, configuration_id)
        if row is None:
            raise _unknown(configuration_id)
        return spec_of(row)

    async def secrets(self, organisation_id: UUID, model: ModelSpec) -> Mapping[str, str] | None:
        """Returns the secrets by their settings' names, for a worker that holds a job with `model`.

        None when the organisation has no such configuration, or when it leads elsewhere by now: a job keeps the address
        it was made with, and a secret goes only where it was entered for. Raises InvalidModelConfiguration when a
        stored secret cannot be read any more.
        """
        async with self.database.transaction(Tenant(organisation_id)) as session:
            row = await ModelRepository(session).in_organisation(organisation_id, model.configuration)
        if row is None or checked_kind(row.provider).leads_elsewhere(model.settings, row.settings):
            return None
        return self.opened_secrets(row)

    def opened_secrets(self, row: ModelConfiguration) -> Mapping[str, str]:
        """Returns the secrets of `row`; raises InvalidModelConfiguration when one cannot be read any more."""
        try:
            return secrets_of(row, self.keys)
        except SecretUnreadable as exc:
            unreadable = FieldError("#/settings", f"a stored secret cannot be read: {exc}; enter it again")
            raise InvalidModelConfiguration([unreadable]) from None

    def changed_spec(self, row: ModelConfiguration, change: Change) -> tuple[ModelSpec, Mapping[str, str]]:
        """Returns what a worker would be told after `change`, which is not stored; raises as `update` does."""
        self._apply(row, change)
        return spec_of(row), self.opened_secrets(row)

    async def create(self, actor: Actor, draft: Draft) -> ModelView:
        """Returns the new configuration; raises InvalidModelConfiguration and the conflicts of names and limits."""
        kind = checked_kind(draft.provider)
        made, row_id = configured(kind, draft.settings), new_id()
        row = ModelConfiguration(
            id=row_id,
            organisation_id=_organisation(actor),
            name=checked_text(draft.name, "name"),
            provider=kind.key,
            model=checked_text(draft.model, "model"),
            settings=made.public,
            secrets=sealed(made.secrets, str(row_id), self.keys, PLACE),
            parameters=checked_parameters(kind, draft.parameters),
            price_input_usd=draft.price.input_usd if draft.price else None,
            price_output_usd=draft.price.output_usd if draft.price else None,
            created_by=actor.name,
        )
        async with self.database.transaction(actor.tenant) as session:
            if await ModelRepository(session).count(actor) >= self.most:
                raise ModelConfigurationLimit(f"an organisation has at most {self.most} model configurations here")
            await _store(session, actor, row)
            await self.audit.record(session, actor, "model.created", ("model", row.id), after=audited(row))
        return ModelView.of(row)

    async def update(self, actor: Actor, configuration_id: UUID, change: Change) -> ModelView:
        """Returns the changed configuration; raises what `create` does, and ModelConfigurationChanged."""
        async with self.database.transaction(actor.tenant) as session:
            row = await _found(session, actor, configuration_id, for_change=True)
            if change.version is not None and change.version != row.version:
                raise ModelConfigurationChanged(
                    f"the configuration is at version {row.version}, the change was made for {change.version}"
                )
            before = audited(row)
            entered = self._apply(row, change)
            row.version += 1
            row.updated_at = now()
            await _store(session, actor, row)
            after = {**audited(row), **({"credentials_entered": sorted(entered)} if entered else {})}
            await self.audit.record(session, actor, "model.updated", ("model", row.id), before=before, after=after)
        return ModelView.of(row)

    async def delete(self, actor: Actor, configuration_id: UUID) -> None:
        """The configuration is gone; raises UnknownModelConfiguration or ModelConfigurationInUse."""
        try:
            async with self.database.transaction(actor.tenant) as session:
                row = await _found(session, actor, configuration_id, for_change=True)
                await session.delete(row)
                await self.audit.record(session, actor, "model.deleted", ("model", row.id), before=audited(row))
        except IntegrityError as exc:
            if "foreign key" in str(exc.orig):
                raise ModelConfigurationInUse(
                    "a prompt's version, an experiment or a score is kept with this configuration; they need it"
                ) from None
            raise

    async def rotate_secrets(self) -> RotatedModels:
        """Every secret of the instance is encrypted with the first key of the ring. Safe to stop and run again."""
        report = RotatedModels()
        last: UUID | None = None
        while True:
            async with self.database.transaction(Tenant(instance=True)) as session:
                batch = await ModelRepository(session).batch_after(last, _BATCH)
                for row in batch:
                    report = self._rotated(row, report)
                    session.add(row)
            if not batch:
                return report
            last = batch[-1].id

    def _apply(self, row: ModelConfiguration, change: Change) -> tuple[str, ...]:
        """`row` is changed; returns the pointers of secrets that were entered."""
        kind = checked_kind(row.provider)
        if change.name is not None:
            row.name = checked_text(change.name, "name")
        if change.model is not None:
            row.model = checked_text(change.model, "model")
        if change.parameters is not None:
            row.parameters = checked_parameters(kind, {**row.parameters, **change.parameters})
        if change.reprice:
            row.price_input_usd = change.price.input_usd if change.price else None
            row.price_output_usd = change.price.output_usd if change.price else None
        if change.settings is None:
            return ()
        made = reconfigured(kind, row, change.settings, self.keys)
        fresh = {pointer: made.secrets[pointer] for pointer in made.entered}
        kept = {pointer: row.secrets[pointer] for pointer in made.secrets if pointer not in fresh}
        row.settings = made.public
        row.secrets = {**kept, **sealed(fresh, str(row.id), self.keys, PLACE)}
        return made.entered

    def _rotated(self, row: ModelConfiguration, report: RotatedModels) -> RotatedModels:
        envelopes, changed, unreadable = dict(row.secrets), 0, False
        for pointer, envelope in row.secrets.items():
            try:
                if not self.keys.is_current(envelope):
                    secret = unsealed(pointer, envelope, str(row.id), self.keys, PLACE)
                    envelopes.update(sealed({pointer: secret}, str(row.id), self.keys, PLACE))
                    changed += 1
            except SecretUnreadable:
                unreadable = True
        row.secrets = envelopes
        return replace(
            report,
            configurations=report.configurations + 1,
            secrets=report.secrets + len(envelopes),
            rotated=report.rotated + changed,
            unreadable=(*report.unreadable, row.id) if unreadable else report.unreadable,
        )


async def _found(
    session: AsyncSession, actor: Actor, configuration_id: UUID, *, for_change: bool = False
) -> ModelConfiguration:
    row = await ModelRepository(session).find(actor, configuration_id, for_change=for_change)
    if row is None:
        raise _unknown(configuration_id)
    return row


async def _store(session: AsyncSession, actor: Actor, row: ModelConfiguration) -> None:
    """The row is written; of two writers with the same name the second one is told."""
    taken = ModelConfigurationNameTaken(f"there is another model configuration named {row.name}")
    with session.no_autoflush:
        if await ModelRepository(session).name_is_taken(actor, row.name, other_than=row.id):
            raise taken
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as exc:
        if "uq_model_configurations_name" in str(exc.orig):
            raise taken from None
        raise


def _organisation(actor: Actor) -> UUID:
    if actor.organisation_id is None:
        raise NotFound("model configurations belong to an organisation")
    return actor.organisation_id


def _unknown(configuration_id: UUID) -> UnknownModelConfiguration:
    return UnknownModelConfiguration(
        "there is no such model configuration", model_configuration_id=str(configuration_id)
    )
