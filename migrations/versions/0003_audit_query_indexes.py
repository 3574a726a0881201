"""Indexes for the documented audit queries, which must take below a second at ten million rows.

One is for failures, by type and time; the other for counting logins by email and address. Both are
partial indexes: a successful event that is no login adds to neither.

Revision: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FAILURES = "ix_audit_logs_failures", ["event_type", "created_at"], "success = 0"
LOGINS = (
    "ix_audit_logs_logins",
    ["event_type", "success", "user_email", "ip_address"],
    "event_type = 'login_complete' AND success = 1",
)


def upgrade() -> None:
    for name, columns, condition in (FAILURES, LOGINS):
        only = sa.text(condition)
        op.create_index(name, "audit_logs", columns, sqlite_where=only, postgresql_where=only)


def downgrade() -> None:
    for name, _, _ in (LOGINS, FAILURES):
        op.drop_index(name, "audit_logs")
