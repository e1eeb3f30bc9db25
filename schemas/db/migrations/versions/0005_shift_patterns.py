"""Who works when: the plant's shift patterns."""

from alembic import op
from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A plant that is stored already has none until it is stored again."""
    op.add_column(
        "plant",
        Column(
            "shift_patterns",
            JSONB,
            nullable=False,
            server_default="[]",
            comment="[{name, valid_from, valid_to, shifts: [{name, start, crews}]}], local days, "
            "times",
        ),
    )


def downgrade() -> None:
    """Shifts are in the plant file."""
    op.drop_column("plant", "shift_patterns")
