"""Scores of projects, the 23 that every project has, and the scorers that workers announced."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from arcane.kit.tables import OF_INSTANCE, OF_PROJECT, wall

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_RAGAS = (
    ("0b0dcd87-1c11-41e9-ad93-39911014c120", "Agent goal accuracy"),
    ("99795951-de16-44cb-8c1d-71d100ed36d2", "Answer accuracy (NVIDIA)"),
    ("54056e81-7f85-46a9-98a5-81b75b7a0d4c", "Answer relevancy"),
    ("34704532-c2c8-403e-8114-09755a281969", "BLEU (RAGAS)"),
    ("848d2504-19ae-4f9c-954e-366926206034", "Context entity recall"),
    ("16070b12-c49f-4b3b-904f-533e4022d0f4", "Context precision"),
    ("c90f0364-481b-4bd5-a162-50897300d5e1", "Context recall"),
    ("a41e87f7-2061-4d8e-83de-f49d219d450e", "Context recall by id"),
    ("4c11c803-6039-49c8-8c34-24154c92db49", "Context recall by likeness"),
    ("1e819871-81f4-4248-a681-c653e1910939", "Context relevance (NVIDIA)"),
    ("04b24ff4-a6f2-4d41-bde7-76bf7bd668b1", "Context utilisation"),
    ("ceeaa1d8-58d0-4bde-9bb6-b9380163b706", "Exact match (RAGAS)"),
    ("0d5a785c-748b-465f-b96f-6f9c7604f645", "Factual correctness"),
    ("ea8c28c7-18c1-40c7-bdf6-b834eddb5be1", "Faithfulness"),
    ("d57720d3-4d82-40c8-9e17-a4768e1f5126", "Noise sensitivity"),
    ("b75661d8-0d69-41d2-abdb-f99800b98391", "ROUGE (RAGAS)"),
    ("7cadef69-f9b8-4dc7-b9eb-7245b1e3a3dc", "Response groundedness (NVIDIA)"),
    ("a0fed9fb-075f-4c9d-9be9-093879ec04ad", "String presence"),
    ("6eb8a58c-4419-4500-bdec-7b9b2f3fa5a8", "String similarity"),
    ("5d9ea1e9-9f07-43d3-b22b-0431383bdd9d", "Tool call F1 (RAGAS)"),
    ("a52fe55c-5a19-476d-be53-6844891ee435", "Tool call accuracy (RAGAS)"),
    ("5b0b6ec0-4a87-407f-a032-c2d5f9511569", "Topic adherence"),
    ("edea8a30-999c-4b0e-9779-dc680d83a9c0", "chrF (RAGAS)"),
)
_LOWER_IS_BETTER = "d57720d3-4d82-40c8-9e17-a4768e1f5126"
_FROM_MINUS_1 = "54056e81-7f85-46a9-98a5-81b75b7a0d4c"


def upgrade() -> None:
    role = op.get_context().opts["app_role"]
    _scores()
    _score_models()
    _announced_scorers()
    for table in ("scores", "score_models"):
        for statement in wall(table, app_role=role, condition=OF_PROJECT):
            op.execute(statement)
    op.execute("CREATE POLICY everybodys ON scores FOR SELECT USING (organisation_id IS NULL)")
    for statement in wall("announced_scorers", app_role=role, condition=OF_INSTANCE):
        op.execute(statement)
    op.execute("CREATE POLICY everybodys ON announced_scorers FOR SELECT USING (true)")


def downgrade() -> None:
    for table in ("announced_scorers", "score_models", "scores"):
        op.drop_table(table)


def _models(table: str) -> list[sa.ForeignKeyConstraint]:
    """The columns `model_id` and `embedding_id` lead to model configurations of the same organisation."""
    return [
        sa.ForeignKeyConstraint(
            ["organisation_id", column],
            ["model_configurations.organisation_id", "model_configurations.id"],
            name=f"fk_{table}_{column}",
            deferrable=True,
            initially="IMMEDIATE",
        )
        for column in ("model_id", "embedding_id")
    ]


def _in_project(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organisation_id", "project_id"],
        ["projects.organisation_id", "projects.id"],
        name=f"fk_{table}_project_id_projects",
        ondelete="CASCADE",
    )


def _indexed(table: str) -> None:
    for column in ("model_id", "embedding_id"):
        op.create_index(f"ix_{table}_organisation_id_{column}", table, ["organisation_id", column])


def _scores() -> None:
    table = op.create_table(
        "scores",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("scale", sa.Text(), nullable=False),
        sa.Column("labels", postgresql.JSONB(), nullable=False),
        sa.Column("ordinal", postgresql.JSONB(), nullable=True),
        sa.Column("lowest", sa.Double(), nullable=True),
        sa.Column("highest", sa.Double(), nullable=True),
        sa.Column("lower_is_better", sa.Boolean(), nullable=False),
        sa.Column("scorer", sa.Text(), nullable=True),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=True),
        sa.Column("embedding_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scores"),
        _in_project("scores"),
        *_models("scores"),
        sa.CheckConstraint("scale IN ('numeric', 'ordinal', 'nominal')", name="ck_scores_scale"),
        sa.CheckConstraint("(organisation_id IS NULL) = (project_id IS NULL)", name="ck_scores_of_a_project_or_of_all"),
        sa.CheckConstraint("version > 0", name="ck_scores_version_positive"),
    )
    op.create_index("uq_scores_name", "scores", ["project_id", sa.text("lower(name)")], unique=True)
    op.create_index("ix_scores_organisation_id_project_id", "scores", ["organisation_id", "project_id"])
    _indexed("scores")
    for key, name in _RAGAS:
        op.execute(table.insert().values(**_built_in(key, name)))


def _built_in(key: str, name: str) -> dict[str, object]:
    return {
        "id": UUID(key),
        "created_at": sa.func.now(),
        "name": name,
        "description": "",
        "scale": "numeric",
        "labels": [],
        "lowest": -1.0 if key == _FROM_MINUS_1 else 0.0,
        "highest": 1.0,
        "lower_is_better": key == _LOWER_IS_BETTER,
        "scorer": key,
        "settings": {},
        "version": 1,
        "created_by": "RAGAS",
        "updated_at": sa.func.now(),
    }


def _score_models() -> None:
    op.create_table(
        "score_models",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=True),
        sa.Column("embedding_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_score_models"),
        _in_project("score_models"),
        *_models("score_models"),
        sa.UniqueConstraint("organisation_id", "project_id", name="uq_score_models_project"),
    )
    _indexed("score_models")


def _announced_scorers() -> None:
    op.create_table(
        "announced_scorers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("description", postgresql.JSONB(), nullable=False),
        sa.Column("announced_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_announced_scorers"),
        sa.UniqueConstraint("key", name="uq_announced_scorers_key"),
    )
