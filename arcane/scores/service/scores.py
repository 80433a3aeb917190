"""The scores of a project: its own, and those that every project has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from arcane.audit.service import AuditLog
from arcane.catalog.problems import FieldError
from arcane.kit.actor import Actor
from arcane.kit.database import Database
from arcane.kit.pagination import Cursors, Page, PageRequest
from arcane.kit.problems import NotFound
from arcane.kit.tables import now
from arcane.messaging.generation import ModelSpec
from arcane.messaging.scoring import ScorerDescription, ScorerInput, ScorerSpec
from arcane.scores.editing import ScoreDraft, checked
from arcane.scores.inputs import BadTemplate, inputs_of
from arcane.scores.problems import (
    BuiltInScore,
    InvalidScore,
    ScoreChanged,
    ScoreLimit,
    ScoreModelNeeded,
    ScoreNameTaken,
    UnknownScore,
)
from arcane.scores.repository import ScoreRepository
from arcane.scores.service.scorers import Scorers
from arcane.scores.tables import Score, ScoreModels
from arcane.scores.views import KnownScorer, Models, PinnedScore, ScoreView, audited, labels_of, ordinal_of


class ModelSpecs(Protocol):
    """Where models come from."""

    async def spec(self, session: AsyncSession, organisation_id: UUID, configuration_id: UUID) -> ModelSpec:
        """Returns what a worker is told of a configuration; raises NotFound."""
        ...


@dataclass(frozen=True, slots=True)
class ScoreService:
    """Every method takes the actor whose project is meant; ids of other projects are unknown."""

    database: Database
    audit: AuditLog
    cursors: Cursors
    scorers: Scorers
    model_specs: ModelSpecs
    most: int

    async def page(self, actor: Actor, request: PageRequest) -> Page[ScoreView]:
        """Returns a page of the project's scores by name, its own first."""
        async with self.database.transaction(actor.tenant) as session:
            page = await ScoreRepository(session).page(actor, request, self.cursors)
            known = await self.scorers.known(session)
        return Page(tuple(_view(row, known) for row in page.items), page.next)

    async def get(self, actor: Actor, score_id: UUID) -> ScoreView:
        """Returns one score; raises UnknownScore."""
        async with self.database.transaction(actor.tenant) as session:
            return _view(await _found(session, actor, score_id), await self.scorers.known(session))

    async def kinds(self, actor: Actor) -> tuple[KnownScorer, ...]:
        """Returns every scorer that a worker ever announced, by group and name."""
        async with self.database.transaction(actor.tenant) as session:
            known = await self.scorers.known(session)
        return tuple(sorted(known.values(), key=lambda one: (one.description.group, one.description.name)))

    async def create(self, actor: Actor, draft: ScoreDraft) -> ScoreView:
        """Returns the new score; raises InvalidScore, ScoreNameTaken or ScoreLimit."""
        async with self.database.transaction(actor.tenant) as session:
            known = await self.scorers.known(session)
            row = _new(actor, draft)
            await self._fill(session, actor, row, checked(draft, _descriptions(known)))
            if await ScoreRepository(session).count(actor) >= self.most:
                raise ScoreLimit(f"a project has at most {self.most} scores on this instance")
            await _store(session, actor, row)
            await self.audit.record(session, actor, "score.created", ("score", row.id), after=audited(row))
        return _view(row, known)

    async def spec(self, actor: Actor, draft: ScoreDraft) -> ScorerSpec:
        """Returns what a worker is told of a score that is not stored; raises InvalidScore and ScoreModelNeeded."""
        async with self.database.transaction(actor.tenant) as session:
            known = await self.scorers.known(session)
            row = _new(actor, draft)
            await self._fill(session, actor, row, checked(draft, _descriptions(known)))
            if row.scorer is None:
                raise InvalidScore([FieldError("#/scorer", "people give this score: there is nothing to try")])
            return await self._spec(session, actor, row, None)

    async def update(self, actor: Actor, score_id: UUID, draft: ScoreDraft) -> ScoreView:
        """Returns the score as `draft` has it; raises what `create` does, BuiltInScore and ScoreChanged.

        Evaluations keep the score as it was when they were made.
        """
        async with self.database.transaction(actor.tenant) as session:
            row = await _own(session, actor, score_id)
            if draft.version is not None and draft.version != row.version:
                raise ScoreChanged(f"the score is at version {row.version}, the change was made for {draft.version}")
            known, before = await self.scorers.known(session), audited(row)
            await self._fill(session, actor, row, checked(draft, _descriptions(known)))
            row.version += 1
            row.updated_at = now()
            await _store(session, actor, row)
            after = audited(row)
            await self.audit.record(session, actor, "score.updated", ("score", row.id), before=before, after=after)
        return _view(row, known)

    async def delete(self, actor: Actor, score_id: UUID) -> None:
        """The score is gone; what evaluations found with it stays. Raises UnknownScore or BuiltInScore."""
        async with self.database.transaction(actor.tenant) as session:
            row = await _own(session, actor, score_id)
            await session.delete(row)
            await self.audit.record(session, actor, "score.deleted", ("score", row.id), before=audited(row))

    async def models(self, actor: Actor) -> Models:
        """Returns the models that scores of the project are given with where they name none."""
        async with self.database.transaction(actor.tenant) as session:
            return await self._models(session, actor)

    async def choose_models(self, actor: Actor, models: Models) -> Models:
        """Scores of the project are given with `models` where they name none; raises InvalidScore."""
        if actor.organisation_id is None or actor.project_id is None:
            raise NotFound("scores belong to a project")
        async with self.database.transaction(actor.tenant) as session:
            await self._check_models(session, actor, models)
            row = await ScoreRepository(session).models(actor)
            before = {"model_id": None, "embedding_id": None} if row is None else _chosen(row)
            row = row or ScoreModels(organisation_id=actor.organisation_id, project_id=actor.project_id)
            row.model_id, row.embedding_id = models.model_id, models.embedding_id
            session.add(row)
            await session.flush()
            about = ("project", actor.project_id)
            await self.audit.record(session, actor, "score_models.chosen", about, before=before, after=_chosen(row))
        return models

    async def pinned(
        self, session: AsyncSession, actor: Actor, score_id: UUID, models: Models | None = None
    ) -> PinnedScore:
        """Returns a score as it is now, whole: a later change of it changes nothing for whoever keeps this.

        `models` go before the project's where the score names none. Raises UnknownScore, ScoreModelNeeded, and
        NotFound where there is no such model.
        """
        row = await _found(session, actor, score_id)
        await self._model(session, actor, models.model_id if models else None)
        known = await self.scorers.known(session)
        inputs = _inputs(row, known.get(row.scorer or ""))
        return PinnedScore(
            id=row.id,
            name=row.name,
            description=_view(row, known).description,
            scale=row.scale,
            labels=tuple((one.label, one.value) for one in labels_of(row)),
            ordinal=ordinal_of(row),
            lowest=row.lowest,
            highest=row.highest,
            lower_is_better=row.lower_is_better,
            spec=None if row.scorer is None else await self._spec(session, actor, row, models),
            variables=tuple(one.name for one in inputs),
            required=tuple(one.name for one in inputs if one.required),
        )

    async def _spec(self, session: AsyncSession, actor: Actor, row: Score, models: Models | None) -> ScorerSpec:
        known = (await self.scorers.known(session)).get(row.scorer or "")
        usual = await self._models(session, actor)
        model = row.model_id or (models.model_id if models else None) or usual.model_id
        embedding = row.embedding_id or (models.embedding_id if models else None) or usual.embedding_id
        needs_model = known is not None and known.description.needs_model
        needs_embedding = known is not None and known.description.needs_embeddings
        if needs_model and model is None:
            raise ScoreModelNeeded(f"{row.name} asks a model: choose one for it, or for the scores of the project")
        if needs_embedding and embedding is None:
            raise ScoreModelNeeded(f"{row.name} embeds texts: choose an embedding model for the scores of the project")
        return ScorerSpec(
            key=row.scorer or "",
            scale=ScoreView.of(row, known, ()).scale,
            settings=row.settings,
            labels=labels_of(row),
            model=await self._model(session, actor, model) if needs_model else None,
            embedding=await self._model(session, actor, embedding) if needs_embedding else None,
        )

    async def _model(self, session: AsyncSession, actor: Actor, configuration: UUID | None) -> ModelSpec | None:
        if configuration is None or actor.organisation_id is None:
            return None
        return await self.model_specs.spec(session, actor.organisation_id, configuration)

    async def _models(self, session: AsyncSession, actor: Actor) -> Models:
        row = await ScoreRepository(session).models(actor)
        return Models() if row is None else Models(row.model_id, row.embedding_id)

    async def _fill(self, session: AsyncSession, actor: Actor, row: Score, draft: ScoreDraft) -> None:
        """`row` says what `draft` says."""
        await self._check_models(session, actor, draft.models)
        row.name, row.description, row.scale = draft.name, draft.description, draft.scale.value
        row.labels = [[one.label, one.value] for one in draft.labels]
        row.ordinal = None
        if draft.ordinal is not None:
            acceptable = list(draft.ordinal.acceptable_set)
            row.ordinal = {"acceptable_set": acceptable, "threshold_rank": draft.ordinal.threshold_rank}
        row.lowest, row.highest, row.lower_is_better = draft.lowest, draft.highest, draft.lower_is_better
        row.scorer, row.settings = draft.scorer, dict(draft.settings)
        row.model_id, row.embedding_id = draft.models.model_id, draft.models.embedding_id

    async def _check_models(self, session: AsyncSession, actor: Actor, models: Models) -> None:
        errors = []
        for name, configuration in (("model_id", models.model_id), ("embedding_id", models.embedding_id)):
            try:
                await self._model(session, actor, configuration)
            except NotFound:
                errors.append(FieldError(f"#/{name}", "there is no such model configuration"))
        if errors:
            raise InvalidScore(errors)


def _new(actor: Actor, draft: ScoreDraft) -> Score:
    """A score that nothing is known of yet but its name."""
    return Score(
        organisation_id=actor.organisation_id,
        project_id=actor.project_id,
        name=draft.name,
        scale=draft.scale.value,
        labels=[],
        settings={},
        created_by=actor.name,
    )


def _view(row: Score, known: Mapping[str, KnownScorer]) -> ScoreView:
    scorer = known.get(row.scorer or "")
    return ScoreView.of(row, scorer, _inputs(row, scorer))


def _inputs(row: Score, scorer: KnownScorer | None) -> tuple[ScorerInput, ...]:
    if scorer is None:
        return ()
    try:
        return inputs_of(scorer.description, row.settings)
    except BadTemplate:
        return scorer.description.inputs


def _descriptions(known: Mapping[str, KnownScorer]) -> dict[str, ScorerDescription]:
    return {key: one.description for key, one in known.items()}


def _chosen(row: ScoreModels) -> dict[str, str | None]:
    return {name: None if found is None else str(found) for name, found in
            (("model_id", row.model_id), ("embedding_id", row.embedding_id))}  # fmt: skip


async def _found(session: AsyncSession, actor: Actor, score_id: UUID, *, for_change: bool = False) -> Score:
    row = await ScoreRepository(session).find(actor, score_id, for_change=for_change)
    if row is None:
        raise UnknownScore("there is no such score", score_id=str(score_id))
    return row


async def _own(session: AsyncSession, actor: Actor, score_id: UUID) -> Score:
    row = await _found(session, actor, score_id, for_change=False)
    if row.project_id is None:
        raise BuiltInScore("every project has this score, and nobody changes it: make one of your own like it")
    return await _found(session, actor, score_id, for_change=True)


async def _store(session: AsyncSession, actor: Actor, row: Score) -> None:
    """The row is written; of two writers with the same name the second one is told."""
    taken = ScoreNameTaken(f"there is another score named {row.name}")
    with session.no_autoflush:
        if await ScoreRepository(session).name_is_taken(actor, row.name, other_than=row.id):
            raise taken
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as exc:
        if "uq_scores_name" in str(exc.orig):
            raise taken from None
        raise
