"""Who writes for a shard, what the ledger of gaps needs to close its rows, clocks of nodes."""

from alembic import op
from sqlalchemy import BigInteger, Column, DateTime, Integer, Text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FROM = "last reading before; null: nobody knows"
_CAUSE = "word of ingest.gap.Cause"
_OLD_CAUSE = "sequence, dropped, refused ..."


def upgrade() -> None:
    """Add the shards; let a gap name its spool and begin at an unknown time."""
    op.create_table(
        "shard",
        Column("host_id", Text, primary_key=True, comment="Sparkplug host application"),
        Column("epoch", BigInteger, nullable=False, comment="grows whenever another process leads"),
        Column("since", DateTime(timezone=True), nullable=False, comment="this epoch, server time"),
        comment="Which ingest leads each shard, as a fence for those before it. Some rows.",
    )
    newest = "source's time of its newest reading, to some seconds"
    highest = "highest known of spool"
    op.add_column("edge_node", Column("newest_at", DateTime(timezone=True), comment=newest))
    op.add_column(
        "edge_node", Column("skew_ms", Integer, comment="its clock behind the host's [ms]")
    )
    op.add_column("edge_node", Column("last_position", BigInteger, comment=highest))
    op.add_column("gap", Column("spool_id", Text, comment="whose positions; null: none"))
    op.alter_column("gap", "from_ts", nullable=True, comment=_FROM)
    op.alter_column("gap", "cause", comment=_CAUSE, existing_comment=_OLD_CAUSE)
    op.create_index("ix_gap_open", "gap", ["source"], postgresql_where="closed_at IS NULL")


def downgrade() -> None:
    """A gap of unknown start begins when it was found."""
    op.drop_index("ix_gap_open", "gap")
    op.execute("UPDATE gap SET from_ts = found_at WHERE from_ts IS NULL")
    op.alter_column("gap", "cause", comment=_OLD_CAUSE, existing_comment=_CAUSE)
    op.alter_column("gap", "from_ts", nullable=False, comment=None, existing_comment=_FROM)
    op.drop_column("gap", "spool_id")
    for name in ("last_position", "skew_ms", "newest_at"):
        op.drop_column("edge_node", name)
    op.drop_table("shard")
