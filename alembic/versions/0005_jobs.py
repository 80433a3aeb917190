"""The ledger of jobs: runs, what their jobs are to do, and the jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from arcane.kit.tables import OF_ORGANISATION, OF_PROJECT, wall

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _runs()
    _specs()
    _jobs()
    app_role = op.get_context().opts["app_role"]
    for table, condition in (("job_runs", OF_PROJECT), ("job_specs", OF_ORGANISATION), ("jobs", OF_ORGANISATION)):
        for statement in wall(table, app_role=app_role, condition=condition):
            op.execute(statement)
    op.execute("CREATE POLICY promised ON outbox_messages FOR INSERT WITH CHECK (true)")  # by any tenant, read by none


def _runs() -> None:
    op.create_table(
        "job_runs",
        *_row(),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("deadline_s", sa.Float(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_promise", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_job_runs"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "project_id"],
            ["projects.organisation_id", "projects.id"],
            name="fk_job_runs_organisation_id_projects",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("state IN ('running', 'paused', 'cancelled', 'done')", name="ck_job_runs_state_known"),
        sa.CheckConstraint("done + failed + cancelled <= total", name="ck_job_runs_counters_add_up"),
    )
    op.create_index("ix_job_runs_organisation_id_project_id_id", "job_runs", ["organisation_id", "project_id", "id"])
    op.create_index("ix_job_runs_kind_subject_id", "job_runs", ["kind", "subject_id"])
    op.create_index("ix_job_runs_open", "job_runs", ["state"], postgresql_where=sa.text("state <> 'done'"))


def _specs() -> None:
    op.create_table(
        "job_specs",
        *_row(),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("spec", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_job_specs"),
        sa.ForeignKeyConstraint(["run_id"], ["job_runs.id"], name="fk_job_specs_run_id_job_runs", ondelete="CASCADE"),
    )
    op.create_index("ix_job_specs_run_id", "job_specs", ["run_id"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        *_row(),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("spec_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("errors", postgresql.JSONB(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=True),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("discarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.ForeignKeyConstraint(["run_id"], ["job_runs.id"], name="fk_jobs_run_id_job_runs", ondelete="CASCADE"),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'held', 'done', 'failed', 'cancelled')", name="ck_jobs_state_known"
        ),
    )
    op.create_index("ix_jobs_run_id_state_id", "jobs", ["run_id", "state", "id"])
    op.create_index(
        "ix_jobs_open", "jobs", ["promised_at"], postgresql_where=sa.text("state IN ('waiting', 'running')")
    )
    op.create_index(
        "ix_jobs_failed",
        "jobs",
        ["organisation_id", "id"],
        postgresql_where=sa.text("state = 'failed' AND discarded_at IS NULL"),
    )


def _row() -> tuple[sa.Column[object], sa.Column[object]]:
    return (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.execute("DROP POLICY promised ON outbox_messages")
    op.drop_table("jobs")
    op.drop_table("job_specs")
    op.drop_table("job_runs")
