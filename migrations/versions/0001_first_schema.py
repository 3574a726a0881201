"""The first schema: users, their passkeys, and the audit trail.

Revision: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.database.types import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ZERO, ONE, EMPTY = sa.text("0"), sa.text("1"), sa.text("''")
NOW = sa.text("CURRENT_TIMESTAMP")


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("first_name", sa.Text, nullable=False),
        sa.Column("last_name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_typed", sa.Text),
        sa.Column("date_of_birth", UtcDateTime, nullable=False),
        sa.Column("job_title", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False, server_default=sa.text("'user'")),
        sa.Column("disabled", sa.Integer, nullable=False, server_default=ZERO),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=NOW),
        sa.CheckConstraint("role IN ('user', 'admin')", name=op.f("ck_users_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("ix_users_email", "users", ["email"], unique=True)

    op.create_table(
        "webauthn_credentials",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("credential_id", sa.LargeBinary, nullable=False),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column(
            "sign_count",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            server_default=ZERO,
        ),
        sa.Column("transports", sa.Text, nullable=False, server_default=EMPTY),
        sa.Column("aaguid", sa.Text),
        sa.Column("backup_eligible", sa.Integer, nullable=False, server_default=ZERO),
        sa.Column("backed_up", sa.Integer, nullable=False, server_default=ZERO),
        sa.Column("user_verified", sa.Integer, nullable=False, server_default=ONE),
        sa.Column("name", sa.Text),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=NOW),
        sa.Column("last_used_at", UtcDateTime),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_webauthn_credentials_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webauthn_credentials")),
    )
    for column in ("user_id", "created_at"):
        op.create_index(f"ix_webauthn_credentials_{column}", "webauthn_credentials", [column])
    op.create_index(
        "ix_webauthn_credentials_credential_id",
        "webauthn_credentials",
        ["credential_id"],
        unique=True,
    )

    op.create_table(
        "audit_logs",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("user_email", sa.Text),
        sa.Column("user_id", sa.Text),
        sa.Column("subject_email", sa.Text),
        sa.Column("subject_id", sa.Text),
        sa.Column("ip_address", sa.Text),
        sa.Column("user_agent", sa.Text),
        sa.Column("success", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("details", sa.Text),
        sa.Column("request_id", sa.Text),
        sa.Column("created_at", UtcDateTime, nullable=False, server_default=NOW),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_audit_logs_user_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_logs")),
    )
    for column in ("event_type", "user_email", "created_at"):
        op.create_index(f"ix_audit_logs_{column}", "audit_logs", [column])


def downgrade() -> None:
    for table in ("audit_logs", "webauthn_credentials", "users"):
        op.drop_table(table)
