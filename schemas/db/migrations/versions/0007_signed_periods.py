"""Periods that are closed and signed, and what changed in them afterwards."""

from alembic import op
from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    PrimaryKeyConstraint,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

Instant = DateTime(timezone=True)
_NAME = "2026, 2026-10 or 2026-10-31, in plant time"


def upgrade() -> None:
    """Make the tables; nothing is signed yet."""
    op.create_table(
        "period",
        Column("id", Integer, Identity(), primary_key=True),
        Column("name", Text, nullable=False, comment=_NAME),
        Column("start_at", Instant, nullable=False),
        Column("end_at", Instant, nullable=False, comment="first instant behind it"),
        Column("signed_at", Instant, nullable=False),
        Column("signed_by", Text, nullable=False),
        Column("reason", Text, nullable=False, comment="why it was signed"),
        Column("reopened_at", Instant, comment="null: its summaries are frozen"),
        Column("reopened_by", Text),
        Column("reopened_reason", Text),
        ExcludeConstraint(
            (text("tstzrange(start_at, end_at)"), "&&"),
            where=text("reopened_at IS NULL"),
            name="ex_period_frozen",
        ),
        comment="Periods that were closed and signed, and opened again. Some 12 rows a year.",
    )
    op.create_table(
        "late",
        Column("period_id", Integer, ForeignKey("period.id"), nullable=False),
        Column("tag_id", Integer, nullable=False),
        Column("bucket", Instant, nullable=False, comment="start of the hour"),
        Column("found_at", Instant, nullable=False, comment="when the newest change was found"),
        PrimaryKeyConstraint("period_id", "tag_id", "bucket"),
        comment="Hours of tags whose summaries a signed period keeps though readings changed. Few.",
    )


def downgrade() -> None:
    """What was signed is forgotten: summaries follow their readings again."""
    op.drop_table("late")
    op.drop_table("period")
