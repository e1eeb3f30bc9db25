"""Targets of KPIs, and since when each is known."""

from alembic import op
from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Identity,
    Integer,
    Text,
    func,
)

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

Instant = DateTime(timezone=True)


def upgrade() -> None:
    """Add the targets."""
    op.create_table(
        "target",
        Column("id", Integer, Identity(), primary_key=True),
        Column("kpi", Text, nullable=False, comment="id"),
        Column("asset_id", Integer, nullable=False),
        Column("value", Double, nullable=False, comment="[unit of the KPI]"),
        Column("better", Text, nullable=False, comment="lower or higher"),
        Column("valid_from", Date, nullable=False, comment="for what begins then, plant time"),
        Column("valid_to", Date, comment="first day without it; null: none is known"),
        Column("known_from", Instant, nullable=False, server_default=func.now()),
        Column("known_to", Instant, comment="when the plant file lacked it; null: it has it"),
        ForeignKeyConstraint(["asset_id"], ["asset.id"], name="fk_target_asset_id"),
        comment="Targets of KPIs as they were ever declared. Some 100 rows a year.",
    )
    op.create_index("ix_target_asset_id", "target", ["asset_id"])


def downgrade() -> None:
    """Targets are forgotten; the plant file has those of today."""
    op.drop_table("target")
