"""Tags that are computed by any rule, not products alone."""

from alembic import op
from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: As products stood until now: two ids.
_PRODUCTS = """
UPDATE tag SET derivation = jsonb_build_object(
    'rule', 'product',
    'operands', jsonb_build_array(first.path, second.path),
    'constants', '{}'::jsonb)
FROM tag AS first, tag AS second
WHERE first.id = tag.product[1] AND second.id = tag.product[2]
"""


def upgrade() -> None:
    """Say of every product by which rule it is computed."""
    op.add_column(
        "tag",
        Column("derivation", JSONB, comment="{rule, operands by path, constants}; null: measured"),
    )
    op.execute(_PRODUCTS)


def downgrade() -> None:
    """Products are still known by their ids."""
    op.drop_column("tag", "derivation")
