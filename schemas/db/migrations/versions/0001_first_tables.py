"""Create the first form of every table.

The definitions stand here once more, so that this step stays what it was when tables change; a
test compares a migrated database with `schemas.db.tables`.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, INT8MULTIRANGE, JSONB
from sqlalchemy.schema import SchemaItem

from schemas.db.engine import psycopg_of
from schemas.db.tiers import cut, detect, partition_by

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Instant = DateTime(timezone=True)
TIMED = {"reading": ("ts", 7), "rollup_1m": ("bucket", 28), "rollup_1h": ("bucket", 364)}


def upgrade() -> None:
    """Create all tables; those of `TIMED` are cut along time as the tier allows."""
    connection = psycopg_of(op.get_bind())
    tier = detect(connection)

    op.create_table(
        "plant",
        Column("name", Text, primary_key=True),
        Column("title", Text, nullable=False),
        Column("time_zone", Text, nullable=False, comment="IANA name, for calendars at the API"),
        Column("loaded_at", Instant, nullable=False),
        comment="The one site of this database. 1 row.",
    )
    op.create_table(
        "asset",
        Column("id", Integer, Identity(), primary_key=True),
        Column("path", Text, nullable=False, unique=True),
        Column("parent_id", Integer, ForeignKey("asset.id"), index=True),
        Column("level", Text, nullable=False, comment="site, area, line or unit (IEC 62264-1)"),
        Column(
            "type", Text, nullable=False, comment="potline, pot, wind_farm ...: which KPIs it has"
        ),
        Column("title", Text, nullable=False),
        Column("ratings", JSONB, nullable=False, comment="name -> {value, unit}"),
        comment="The plant's tree. About 6,200 rows.",
    )
    op.create_table(
        "tag",
        Column("id", Integer, Identity(), primary_key=True),
        Column("path", Text, nullable=False, unique=True, comment="<asset path>/<measure>"),
        Column("asset_id", Integer, ForeignKey("asset.id"), nullable=False, index=True),
        Column("measure", Text, nullable=False, index=True),
        Column("title", Text, nullable=False),
        Column("unit", Text, nullable=False, comment="as pint reads it"),
        Column("kind", Text, nullable=False, comment="gauge, counter, state or event"),
        Column("interpolation", Text, nullable=False, comment="step or linear"),
        Column(
            "stale_after_s", Double, nullable=False, comment="silence not covered beyond this [s]"
        ),
        Column("deadband", Double, nullable=False, comment="change not reported [unit]"),
        Column("low", Double, comment="physically possible from [unit]"),
        Column("high", Double, comment="physically possible to [unit]"),
        Column(
            "modulus", Double, comment="a counter wraps here [unit]; null: a decrease is a reset"
        ),
        Column("product", ARRAY(Integer), comment="ids of the two tags multiplied; null: measured"),
        comment="The catalogue of points. About 150,000 rows.",
    )
    op.create_table(
        "source",
        Column("address", Text, primary_key=True, comment="Sparkplug group/node[/device]"),
        Column("asset_id", Integer, ForeignKey("asset.id"), nullable=False),
        comment="Foreign Sparkplug sources: metric names are measures of one asset. Some 100 rows.",
    )
    op.create_table(
        "reading",
        Column("tag_id", Integer, nullable=False),
        Column("ts", Instant, nullable=False, comment="the source's time"),
        Column("value", Double, comment="[unit of the tag]; null: the source gave none"),
        Column("quality", SmallInteger, nullable=False, comment="OPC: 0, 64, 192; 500 stale"),
        PrimaryKeyConstraint("tag_id", "ts"),
        comment="One row a reading. 2.6 to 5.2 billion rows a day at 30,000 to 60,000 readings/s.",
        postgresql_partition_by=partition_by(tier, "ts"),
    )
    op.create_table(
        "reading_text",
        Column("tag_id", Integer, nullable=False),
        Column("ts", Instant, nullable=False, comment="the source's time"),
        Column("value", Text),
        Column("quality", SmallInteger, nullable=False, comment="OPC: 0, 64, 192; 500 stale"),
        PrimaryKeyConstraint("tag_id", "ts"),
        comment="Readings that are text (recipe, serial number). Thousands of rows a day.",
    )
    op.create_table(
        "edge_node",
        Column("id", Integer, Identity(), primary_key=True),
        Column("group_id", Text, nullable=False),
        Column("node_id", Text, nullable=False),
        Column("online", Boolean, nullable=False),
        Column("since", Instant, nullable=False, comment="online or stale since, host time"),
        Column("bd_seq", SmallInteger, comment="of the live NBIRTH, 0 to 255"),
        Column("born_at", Instant, comment="payload time of the live NBIRTH"),
        Column("spool_id", Text, comment="null: the node has no spool, plain Sparkplug"),
        Column("committed", INT8MULTIRANGE, comment="spool positions in the database"),
        UniqueConstraint("group_id", "node_id"),
        comment="One row an edge node that was ever born. Some 100 rows.",
    )
    op.create_table(
        "edge_device",
        Column("node", Integer, ForeignKey("edge_node.id"), nullable=False),
        Column("device_id", Text, nullable=False, comment="empty: the node's own metrics"),
        Column("online", Boolean, nullable=False),
        Column(
            "since",
            Instant,
            nullable=False,
            comment="host time for a node, payload time for DDEATH",
        ),
        Column("tag_ids", ARRAY(Integer), nullable=False, comment="what its last birth declared"),
        PrimaryKeyConstraint("node", "device_id"),
        comment="Devices behind the nodes. Some 1,000 rows.",
    )
    op.create_table(
        "dirty",
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("bucket", Instant, nullable=False, index=True, comment="start of the minute"),
        Column("tag_ids", ARRAY(Integer), nullable=False),
        comment="Minutes whose readings changed after their summary. Some 10 rows, soon consumed.",
    )
    op.create_table(
        "rollup_1m",
        *_summary(),
        comment="Summaries by minute. 216 million rows a day.",
        postgresql_partition_by=partition_by(tier, "bucket"),
    )
    op.create_table(
        "rollup_1h",
        *_summary(),
        comment="Summaries by hour, merged from those by minute. 3.6 million rows a day.",
        postgresql_partition_by=partition_by(tier, "bucket"),
    )
    op.create_table(
        "dead_letter",
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("received_at", Instant, nullable=False, index=True),
        Column("topic", Text, nullable=False),
        Column(
            "payload", LargeBinary, nullable=False, comment="as received; of a frame the bad part"
        ),
        Column("reason", Text, nullable=False, comment="fixed word, as counted in /metrics"),
        Column("detail", Text, nullable=False, comment="what was there and what would be right"),
        Column("readings", Integer, nullable=False, comment="readings in it; 1 if unreadable"),
        Column("replayed_at", Instant, comment="null: still here"),
        Index("ix_dead_letter_open", "id", postgresql_where="replayed_at IS NULL"),
        comment="What arrived and could not be used. None, on a good day.",
    )
    op.create_table(
        "gap",
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("source", Text, nullable=False, index=True, comment="Sparkplug group/node[/device]"),
        Column("cause", Text, nullable=False, comment="sequence, dropped, refused ..."),
        Column("from_ts", Instant, nullable=False),
        Column("to_ts", Instant, comment="null: still open"),
        Column("first_position", BigInteger, comment="spool positions missing, from"),
        Column("last_position", BigInteger, comment="spool positions missing, to"),
        Column("found_at", Instant, nullable=False),
        Column("closed_at", Instant, comment="when the backfill was complete"),
        comment="The gap ledger: every span that is missing, and why. Some rows a week.",
    )

    for table, (column, days) in TIMED.items():
        cut(connection, tier, table, column, days)


def downgrade() -> None:
    """Drop every table."""
    for table in (
        "gap",
        "dead_letter",
        "rollup_1h",
        "rollup_1m",
        "dirty",
        "edge_device",
        "edge_node",
        "reading_text",
        "reading",
        "source",
        "tag",
        "asset",
        "plant",
    ):
        op.drop_table(table)


def _summary() -> list[SchemaItem]:
    """The columns of a summary: the mergeable digest of one tag in one bucket (`kpi.summary`)."""
    return [
        Column("tag_id", Integer, nullable=False),
        Column("bucket", Instant, nullable=False, comment="start; the bucket is half-open"),
        Column("count", Integer, nullable=False, comment="readings with a usable value"),
        Column("good_s", Double, nullable=False, comment="time of good quality [s]"),
        Column("covered_s", Double, nullable=False, comment="time backed by a usable value [s]"),
        Column("integral", Double, comment="over the covered time [unit s]"),
        Column("first", Double, comment="first usable value [unit]"),
        Column("first_ts", Instant),
        Column("last", Double, comment="last usable value [unit]"),
        Column("last_ts", Instant),
        Column("min", Double, comment="of the usable readings [unit]"),
        Column("max", Double, comment="of the usable readings [unit]"),
        Column("increase", Double, comment="counters: climb since the last reading before [unit]"),
        Column("active_s", Double, comment="states: time not zero [s]"),
        Column("activations", Integer, comment="states: changes from zero to not zero"),
        Column("total", Double, comment="events: sum of the amounts [unit]"),
        PrimaryKeyConstraint("tag_id", "bucket"),
    ]
