"""Reports of signed periods, kept to the byte."""

from alembic import op
from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Instant = DateTime(timezone=True)
_BEFORE = "2026, 2026-10 or 2026-10-31, in plant time"
_NAME = "2026, 2026-10, 2026-10-31 or 2026-10-31-night, plant time"


def upgrade() -> None:
    """Make the table; what is signed is kept when its report is asked for."""
    op.create_table(
        "report",
        Column("kind", Text, nullable=False, comment="shift, day or month"),
        Column("start_at", Instant, nullable=False, comment="of its period"),
        Column("asset", Text, nullable=False, comment="path"),
        Column("period_ids", ARRAY(Integer), nullable=False, comment="signatures that cover it"),
        Column("body", LargeBinary, nullable=False, comment="JSON, as it is answered"),
        Column("kept_at", Instant, nullable=False, server_default=func.now()),
        PrimaryKeyConstraint("start_at", "kind", "asset", "period_ids", name="pk_report"),
        comment="Reports of signed periods, to the byte; never changed. Some 10 rows a day.",
    )
    op.alter_column("period", "name", comment=_NAME)


def downgrade() -> None:
    """Reports are made anew from what is frozen of their periods."""
    op.drop_table("report")
    op.alter_column("period", "name", comment=_BEFORE)
