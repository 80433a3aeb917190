"""${message}

Expand, then contract: a revision must let the previous release keep running. New NOT NULL columns take
three steps, indexes on tables with rows are made CONCURRENTLY, backfills are batched and restartable.
Put `wall(...)` around every table with an organisation_id. Never edit a revision that was released.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
