"""Prompts, their versions and labels, and what became of runs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from arcane.kit.tables import OF_PROJECT, wall

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TABLES = ("prompts", "prompt_versions", "prompt_labels", "prompt_runs")
_PLACE = ("organisation_id", "project_id", "prompt_id")


def _own() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
    ]


def _of_a_project(table: str) -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "project_id"],
            ["projects.organisation_id", "projects.id"],
            name=f"fk_{table}_project_id_projects",
            ondelete="CASCADE",
        ),
    ]


def upgrade() -> None:
    _add_prompts()
    _add_versions()
    _add_labels()
    _add_runs()
    for table in _TABLES:
        for statement in wall(table, app_role=op.get_context().opts["app_role"], condition=OF_PROJECT):
            op.execute(statement)


def _add_prompts() -> None:
    op.create_table(
        "prompts",
        *_own(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("extra", postgresql.JSONB(), nullable=False),
        sa.Column("next_number", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        *_of_a_project("prompts"),
        sa.UniqueConstraint("organisation_id", "project_id", "id", name="uq_prompts_organisation_id_project_id_id"),
        sa.UniqueConstraint("project_id", "name", name="uq_prompts_name"),
        sa.CheckConstraint("next_number >= 0", name="ck_prompts_next_number"),
    )


def _add_versions() -> None:
    op.create_table(
        "prompt_versions",
        *_own(),
        sa.Column("prompt_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("spec", postgresql.JSONB(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("model_configuration_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_prompt_versions"),
        sa.ForeignKeyConstraint(
            list(_PLACE),
            ["prompts.organisation_id", "prompts.project_id", "prompts.id"],
            name="fk_prompt_versions_prompt_id_prompts",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "model_configuration_id"],
            ["model_configurations.organisation_id", "model_configurations.id"],
            name="fk_prompt_versions_model_configuration_id_model_configurations",
            deferrable=True,
            initially="IMMEDIATE",
        ),
        sa.UniqueConstraint("prompt_id", "number", name="uq_prompt_versions_prompt_id_number"),
        sa.UniqueConstraint(*_PLACE, "id", name="uq_prompt_versions_place"),
        sa.CheckConstraint("kind IN ('chat', 'text')", name="ck_prompt_versions_kind"),
    )
    op.create_index(
        "ix_prompt_versions_organisation_id_model_configuration_id",
        "prompt_versions",
        ["organisation_id", "model_configuration_id"],
    )


def _add_labels() -> None:
    op.create_table(
        "prompt_labels",
        *_own(),
        sa.Column("prompt_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_prompt_labels"),
        sa.ForeignKeyConstraint(
            [*_PLACE, "version_id"],
            [f"prompt_versions.{name}" for name in (*_PLACE, "id")],
            name="fk_prompt_labels_version_id_prompt_versions",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("prompt_id", "label", name="uq_prompt_labels_prompt_id_label"),
    )
    op.create_index(
        "ix_prompt_labels_version",
        "prompt_labels",
        [*_PLACE, "version_id"],
    )


def _add_runs() -> None:
    op.create_table(
        "prompt_runs",
        *_own(),
        sa.Column("prompt_id", sa.Uuid(), nullable=True),
        sa.Column("version_id", sa.Uuid(), nullable=True),
        sa.Column("version_number", sa.Integer(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("trace", postgresql.JSONB(), nullable=True),
        sa.Column("model_configuration_id", sa.Uuid(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=True),
        sa.Column("latency_ms", sa.Float(), nullable=True),
        sa.Column("inputs", postgresql.JSONB(), nullable=True),
        sa.Column("output", sa.Text(), nullable=True),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        *_of_a_project("prompt_runs"),
        sa.CheckConstraint("status IN ('running', 'done', 'failed', 'cancelled')", name="ck_prompt_runs_status"),
        sa.CheckConstraint(
            "trace IS NULL OR (inputs IS NULL AND output IS NULL)", name="ck_prompt_runs_no_content_of_traces"
        ),
    )
    op.create_index("ix_prompt_runs_project_id_id", "prompt_runs", ["project_id", "id"])
    op.create_index("ix_prompt_runs_organisation_id_project_id_prompt_id_id", "prompt_runs", [*_PLACE, "id"])
    op.create_index("ix_prompt_runs_created_at", "prompt_runs", ["created_at"])


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
