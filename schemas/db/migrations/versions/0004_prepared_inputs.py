"""Inputs of KPIs at assets, summed beforehand over their tags."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Integer,
    PrimaryKeyConstraint,
    Text,
)
from sqlalchemy.schema import SchemaItem

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Instant = DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables; the rollup worker fills them."""
    op.create_table(
        "kpi_input",
        Column("id", BigInteger, primary_key=True, comment="digest of its terms (kpi.binding)"),
        Column("asset_id", Integer, ForeignKey("asset.id"), nullable=False, index=True),
        Column("name", Text, nullable=False, comment="as the KPIs of the asset call it"),
        Column("tags", Integer, nullable=False, comment="how many it is the sum of"),
        Column(
            "built_from", Instant, nullable=False, comment="hours before are still to be summed"
        ),
        comment="Inputs of KPIs that are sums over tags. Some 1,000 rows.",
    )
    op.create_table(
        "input_1m",
        *_sums(),
        comment="Inputs by minute, of the hours that rollup_1h lacks. Some 60,000 rows in all.",
    )
    op.create_table("input_1h", *_sums(), comment="Inputs by hour. Some 24,000 rows a day.")


def downgrade() -> None:
    """Sums over tags are taken when they are asked for."""
    for table in ("input_1h", "input_1m", "kpi_input"):
        op.drop_table(table)


def _sums() -> list[SchemaItem]:
    return [
        Column("input_id", BigInteger, nullable=False, comment="of kpi_input"),
        Column("bucket", Instant, nullable=False, comment="start; the bucket is half-open"),
        Column("value", Double, nullable=False, comment="sum over the tags [unit of the input]"),
        Column("covered_s", Double, nullable=False, comment="summed over the tags [s]"),
        Column("good_s", Double, nullable=False, comment="summed over the tags [s]"),
        Column("readings", BigInteger, nullable=False, comment="usable ones"),
        PrimaryKeyConstraint("input_id", "bucket"),
    ]
