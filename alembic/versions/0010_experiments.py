"""Experiments and what came of each row. Datasets, prompts and models are pinned by id, without a foreign key.

What an experiment was made of may be deleted later; the experiment and its results stay.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from arcane.kit.tables import OF_PROJECT, wall

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_STATES = "state IN ('running', 'paused', 'stopped', 'cancelled', 'done')"
_STATUSES = "status IN ('pending', 'running', 'done', 'failed', 'cancelled')"


def upgrade() -> None:
    _experiments()
    _results()
    for table in ("experiments", "experiment_results"):
        for statement in wall(table, app_role=op.get_context().opts["app_role"], condition=OF_PROJECT):
            op.execute(statement)


def _experiments() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("prompt_version_id", sa.Uuid(), nullable=True),
        sa.Column("model_configuration_id", sa.Uuid(), nullable=True),
        sa.Column("dataset_id", sa.Uuid(), nullable=False),
        sa.Column("dataset_version", sa.Integer(), nullable=False),
        sa.Column("split", sa.Text(), nullable=True),
        sa.Column("mapping", postgresql.JSONB(), nullable=False),
        sa.Column("pinned", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        *_tally(),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_experiments"),
        _in_organisation("experiments"),
        _in_project("experiments"),
        sa.UniqueConstraint("organisation_id", "id", name="uq_experiments_organisation_id_id"),
        sa.CheckConstraint(_STATES, name="ck_experiments_state"),
    )
    op.create_index(
        "ix_experiments_newest",
        "experiments",
        ["organisation_id", "project_id", "id"],
    )
    op.create_index("ix_experiments_dataset_id", "experiments", ["dataset_id"])
    op.create_index("ix_experiments_run_id", "experiments", ["run_id"])


def _results() -> None:
    op.create_table(
        "experiment_results",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("output", sa.Text(), nullable=False, server_default=""),
        sa.Column("tool_calls", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("structured", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("finish_reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("model", sa.Text(), nullable=False, server_default=""),
        sa.Column("error", sa.Text(), nullable=False, server_default=""),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("latency_ms", sa.Double(), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cost_usd", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_experiment_results"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "experiment_id"],
            ["experiments.organisation_id", "experiments.id"],
            name="fk_experiment_results_experiment_id_experiments",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("experiment_id", "row_id", name="uq_experiment_results_experiment_id_row_id"),
        sa.CheckConstraint(_STATUSES, name="ck_experiment_results_status"),
    )
    op.create_index(
        "ix_experiment_results_ordinal",
        "experiment_results",
        ["organisation_id", "experiment_id", "ordinal", "id"],
    )
    op.create_index("ix_experiment_results_experiment_id_status", "experiment_results", ["experiment_id", "status"])


def _in_organisation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organisation_id"], ["organisations.id"], name=f"fk_{table}_organisation_id_organisations", ondelete="CASCADE"
    )


def _in_project(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organisation_id", "project_id"],
        ["projects.organisation_id", "projects.id"],
        name=f"fk_{table}_project_id_projects",
        ondelete="CASCADE",
    )


def _tally() -> list[sa.Column[int] | sa.Column[float]]:
    counted = [sa.Column(name, sa.Integer(), nullable=False) for name in ("total", "done", "failed", "unpriced")]
    tokens = [sa.Column(name, sa.BigInteger(), nullable=False) for name in ("input_tokens", "output_tokens")]
    return [*counted, *tokens, sa.Column("cost_usd", sa.Double(), nullable=False)]


def downgrade() -> None:
    op.drop_table("experiment_results")
    op.drop_table("experiments")
