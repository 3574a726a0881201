"""The table of audit sinks; on PostgreSQL also the position of each audit row.

Revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.database.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The transaction has its id before the row has its position: stores/outbox.py rests on that.
# CASE evaluates in this order; a sequence with a cache would hand out positions out of turn.
POSITION = "CASE WHEN pg_current_xact_id() > '0'::xid8 THEN nextval('audit_logs_position_seq') END"
POSTGRESQL = (
    "CREATE SEQUENCE audit_logs_position_seq AS bigint CACHE 1",
    "ALTER TABLE audit_logs ADD COLUMN position bigint",
    "UPDATE audit_logs SET position = numbered.position FROM "
    "(SELECT id, row_number() OVER (ORDER BY id) AS position FROM audit_logs) AS numbered "
    "WHERE audit_logs.id = numbered.id",
    "SELECT setval('audit_logs_position_seq', "
    "(SELECT coalesce(max(position), 0) + 1 FROM audit_logs), false)",
    "ALTER TABLE audit_logs ALTER COLUMN position SET NOT NULL",
    f"ALTER TABLE audit_logs ALTER COLUMN position SET DEFAULT {POSITION}",
    "ALTER SEQUENCE audit_logs_position_seq OWNED BY audit_logs.position",
    "CREATE UNIQUE INDEX ix_audit_logs_position ON audit_logs (position)",
)


def upgrade() -> None:
    op.create_table(
        "audit_sinks",
        sa.Column("sink", sa.Text, nullable=False),
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            server_default=sa.text("0"),
        ),
        sa.Column("row_id", sa.Text),
        sa.Column("holder", sa.Text),
        sa.Column("held_until", UtcDateTime),
        sa.Column(
            "updated_at", UtcDateTime, nullable=False, server_default=sa.text("CURRENT_TIMESTAMP")
        ),
        sa.PrimaryKeyConstraint("sink", name=op.f("pk_audit_sinks")),
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in POSTGRESQL:
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE audit_logs ALTER COLUMN position DROP DEFAULT")
        op.drop_column("audit_logs", "position")
    op.drop_table("audit_sinks")
