"""Evaluations: the scores they ask for, what they are about, and the results. Of traces there are references only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from arcane.kit.tables import OF_PROJECT, wall

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = ("evaluations", "evaluation_scores", "evaluation_experiments", "evaluation_subjects", "score_results")
_NOW = sa.DateTime(timezone=True)


def upgrade() -> None:
    _evaluations()
    _members()
    _subjects()
    _results()
    for table in _TABLES:
        for statement in wall(table, app_role=op.get_context().opts["app_role"], condition=OF_PROJECT):
            op.execute(statement)


def _evaluations() -> None:
    counted = [sa.Column(name, sa.Integer(), nullable=False) for name in ("total", "done", "failed", "unpriced")]
    tokens = [sa.Column(name, sa.BigInteger(), nullable=False) for name in ("input_tokens", "output_tokens")]
    op.create_table(
        "evaluations",
        *_identity(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("dataset_id", sa.Uuid(), nullable=True),
        sa.Column("dataset_version", sa.Integer(), nullable=True),
        sa.Column("split", sa.Text(), nullable=True),
        sa.Column("search", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("reader", postgresql.JSONB(), nullable=False),
        sa.Column("pinned", postgresql.JSONB(), nullable=False),
        sa.Column("capture", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("budget_usd", sa.Double(), nullable=True),
        *counted,
        *tokens,
        sa.Column("cost_usd", sa.Double(), nullable=False),
        sa.Column("watermark", sa.BigInteger(), nullable=True),
        sa.Column("looked_at", _NOW, nullable=True),
        sa.Column("leased_until", _NOW, nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("finished_at", _NOW, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_evaluations"),
        _in_organisation("evaluations"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "project_id"],
            ["projects.organisation_id", "projects.id"],
            name="fk_evaluations_project_id_projects",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("organisation_id", "id", name="uq_evaluations_organisation_id_id"),
        sa.CheckConstraint("mode IN ('automatic', 'manual')", name="ck_evaluations_mode"),
        sa.CheckConstraint("scope IN ('dataset', 'experiments', 'traces', 'live')", name="ck_evaluations_scope"),
        sa.CheckConstraint(
            "state IN ('listing', 'running', 'paused', 'stopped', 'cancelled', 'done')", name="ck_evaluations_state"
        ),
    )
    op.create_index(
        "ix_evaluations_newest",
        "evaluations",
        ["organisation_id", "project_id", "id"],
    )
    op.create_index("ix_evaluations_run_id", "evaluations", ["run_id"])
    op.create_index(
        "ix_evaluations_live",
        "evaluations",
        ["leased_until"],
        postgresql_where=sa.text("state = 'listing' OR (scope = 'live' AND state = 'running')"),
    )


def _members() -> None:
    op.create_table(
        "evaluation_scores",
        *_identity(),
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column("score_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("spec_id", sa.Uuid(), nullable=True),
        sa.Column("mapping", postgresql.JSONB(), nullable=False),
        sa.Column("pinned", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation_scores"),
        _of_evaluation("evaluation_scores"),
        sa.UniqueConstraint(
            "organisation_id",
            "evaluation_id",
            "score_id",
            name="uq_evaluation_scores_score",
        ),
    )
    op.create_table(
        "evaluation_experiments",
        *_identity(),
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column("experiment_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation_experiments"),
        _of_evaluation("evaluation_experiments"),
        sa.UniqueConstraint(
            "organisation_id",
            "evaluation_id",
            "experiment_id",
            name="uq_evaluation_experiments_experiment",
        ),
    )


def _subjects() -> None:
    op.create_table(
        "evaluation_subjects",
        *_identity(),
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=True),
        sa.Column("experiment_id", sa.Uuid(), nullable=True),
        sa.Column("result_id", sa.Uuid(), nullable=True),
        sa.Column("datasource_id", sa.Uuid(), nullable=True),
        sa.Column("trace_id", sa.Text(), nullable=True),
        sa.Column("span_id", sa.Text(), nullable=True),
        sa.Column("time_ns", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation_subjects"),
        _of_evaluation("evaluation_subjects"),
        sa.UniqueConstraint("evaluation_id", "key", name="uq_evaluation_subjects_evaluation_id_key"),
    )
    op.create_index(
        "ix_evaluation_subjects_ordinal",
        "evaluation_subjects",
        ["organisation_id", "evaluation_id", "ordinal", "id"],
    )


def _results() -> None:
    op.create_table(
        "score_results",
        *_identity(),
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column("score_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("label", sa.Text(), nullable=False, server_default=""),
        sa.Column("reasoning", sa.Text(), nullable=False, server_default=""),
        sa.Column("details", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False, server_default=""),
        sa.Column("scored_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("latency_ms", sa.Double(), nullable=True),
        sa.Column("input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("cost_usd", sa.Double(), nullable=True),
        sa.Column("finished_at", _NOW, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_score_results"),
        sa.ForeignKeyConstraint(
            ["subject_id"],
            ["evaluation_subjects.id"],
            name="fk_score_results_subject_id_evaluation_subjects",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("subject_id", "score_id", name="uq_score_results_subject_id_score_id"),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'done', 'failed', 'cancelled')", name="ck_score_results_status"
        ),
        sa.CheckConstraint("source IN ('scorer', 'person', 'import')", name="ck_score_results_source"),
        sa.CheckConstraint("(status = 'done') = (value IS NOT NULL)", name="ck_score_results_done_has_value"),
    )
    op.create_index("ix_score_results_evaluation_id_score_id", "score_results", ["evaluation_id", "score_id"])


def _identity() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", _NOW, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
    ]


def _in_organisation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organisation_id"], ["organisations.id"], name=f"fk_{table}_organisation_id_organisations", ondelete="CASCADE"
    )


def _of_evaluation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organisation_id", "evaluation_id"],
        ["evaluations.organisation_id", "evaluations.id"],
        name=f"fk_{table}_evaluation_id_evaluations",
        ondelete="CASCADE",
    )


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
