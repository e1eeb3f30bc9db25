"""Who may ask the API, and what they wrote."""

from alembic import op
from sqlalchemy import BigInteger, Column, DateTime, Identity, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Instant = DateTime(timezone=True)


def upgrade() -> None:
    """Add the keys and the audit log."""
    op.create_table(
        "api_key",
        Column("id", Text, primary_key=True, comment="middle part of the key; no secret"),
        Column("name", Text, nullable=False, comment="whose it is"),
        Column("role", Text, nullable=False, comment="viewer, engineer or admin"),
        Column("areas", ARRAY(Text), nullable=False, comment="patterns of assets that it sees"),
        Column("secret_hash", LargeBinary, nullable=False, comment="SHA-256 of 256 random bits"),
        Column("created_at", Instant, nullable=False),
        Column("created_by", Text, nullable=False),
        Column("expires_at", Instant, comment="null: never"),
        Column("revoked_at", Instant, comment="null: not"),
        comment="Keys of people and scripts; revoked ones stay. Some 100 rows.",
    )
    op.create_table(
        "audit",
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("at", Instant, nullable=False),
        Column("who", Text, nullable=False),
        Column("action", Text, nullable=False, comment="key.create, alarm.acknowledge ..."),
        Column("subject", Text, nullable=False, comment="id of what was changed"),
        Column("reason", Text, comment="why, where a person has to say so"),
        Column("before", JSONB),
        Column("after", JSONB),
        comment="Every write by a person or script. Some 100 rows a day.",
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])


def downgrade() -> None:
    """Whoever may ask is forgotten."""
    op.drop_table("audit")
    op.drop_table("api_key")
